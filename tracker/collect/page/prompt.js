// SPDX-License-Identifier: Apache-2.0
// A prompt that the computer decided, on the phone: one box, a short vibration, a way to be quiet.
"use strict";

(() => {
  const EVERY_MS = 20000, box = $("prompt"), buttons = $("prompt-buttons");
  let closed = localStorage.getItem("prompt-closed"), shown = null;
  if (!token) return;

  const ask = (path, options) => fetch(path, { ...options, cache: "no-store", signal: AbortSignal.timeout(15000),
    headers: { "authorization": "Bearer " + token, "content-type": "application/json" } });

  function close(at) {
    closed = at; shown = null; box.hidden = true;
    localStorage.setItem("prompt-closed", at);
  }

  function button(label, act) {
    const made = document.createElement("button");
    made.type = "button"; made.textContent = label; made.addEventListener("click", act);
    buttons.append(made);
  }

  function show(prompt) {
    if (shown === prompt.at_ns) return;
    shown = prompt.at_ns;
    $("prompt-text").textContent = prompt.text;
    buttons.replaceChildren();
    button(prompt.done, () => close(prompt.at_ns));
    for (const one of prompt.buttons) button(one.label, async () => {
      try {
        const answer = await ask("/phone/quiet", { method: "POST", body: JSON.stringify({ minutes: one.minutes }) });
        if (answer.status === 200) close(prompt.at_ns);
      } catch (error) { /* it stays, and can be tapped again */ }
    });
    box.hidden = false;
    if (!prompt.silent && navigator.vibrate) navigator.vibrate(200);
  }

  async function look() {
    try {
      const answer = await ask("/phone/prompt", { method: "GET" });
      if (answer.status !== 200) return;
      const found = (await answer.json()).result;
      if (found && found.at_ns !== closed) show(found);
      else { box.hidden = true; shown = null; }
    } catch (error) { /* the computer is away: nothing new */ }
  }

  look();
  setInterval(look, EVERY_MS);
})();
