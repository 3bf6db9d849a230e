// SPDX-License-Identifier: Apache-2.0
// The key rides behind the #, so it reaches no log; here it becomes the address the app wants.
"use strict";
const key = new URLSearchParams(location.hash.slice(1)).get("token") || "";
const address = document.getElementById("address");
document.getElementById("missing").hidden = key !== "";
document.getElementById("steps").hidden = key === "";
address.textContent = `${location.origin}/in/sensor-logger?token=${encodeURIComponent(key)}`;

document.getElementById("copy").addEventListener("click", async () => {
  const said = document.getElementById("copied");
  try {
    await navigator.clipboard.writeText(address.textContent);
    said.textContent = said.dataset.text;
  } catch {
    // No clipboard (an old browser, or it was not allowed): select it, so that a long press copies.
    const range = document.createRange();
    range.selectNodeContents(address);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  }
});
