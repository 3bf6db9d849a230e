// SPDX-License-Identifier: Apache-2.0
// The evening tap and a massage on the phone: kept on the phone until the computer took them.
"use strict";

(() => {
  const KEY = "diary", EVERY_MS = 15000, MOST = 100;
  const scales = $("scales"), state = $("diary-state");
  const read = () => { try { return JSON.parse(localStorage.getItem(KEY)) || []; } catch (error) { return []; } };
  const keep = (rows) => localStorage.setItem(KEY, JSON.stringify(rows.slice(-MOST)));
  const two = (n) => String(n).padStart(2, "0");
  const dayOf = (d) => d.getFullYear() + "-" + two(d.getMonth() + 1) + "-" + two(d.getDate());
  let busy = false;

  function chosenDay() {
    const at = new Date();
    if ($("yesterday").checked) at.setDate(at.getDate() - 1);
    return dayOf(at);
  }

  function scale(name) {
    const box = document.createElement("fieldset"), legend = document.createElement("legend");
    legend.textContent = say("diary." + name);
    box.append(legend);
    for (let n = 0; n <= 10; n++) {
      const button = document.createElement("button");
      button.type = "button"; button.textContent = n; button.dataset.scale = name; button.dataset.n = n;
      button.setAttribute("aria-pressed", "false");
      button.addEventListener("click", () => { mark(name, n); add("evening", { day: chosenDay(), [name]: n }); });
      box.append(button);
    }
    scales.append(box);
  }

  function mark(name, n) {
    scales.querySelectorAll(`[data-scale=${name}]`).forEach((b) => b.setAttribute("aria-pressed", String(Number(b.dataset.n) === n)));
  }

  function add(kind, body) { keep([...read(), { kind, body }]); send(); }

  function told() {
    const n = read().length;
    state.textContent = n ? say("diary.waiting").replace("{n}", n) : say("diary.kept");
  }

  async function ask(path, options) {
    return fetch(path, { ...options, cache: "no-store", signal: AbortSignal.timeout(25000),
      headers: { "authorization": "Bearer " + token, "content-type": "application/json" } });
  }

  async function send() {
    if (busy || !token) return;
    busy = true;
    try {
      for (let rows = read(); rows.length; rows = read()) {
        const answer = await ask("/phone/diary", { method: "POST", body: JSON.stringify(rows[0]) });
        if (answer.status !== 200 && answer.status !== 422) break;
        keep(read().slice(1));
        if (answer.status === 422) { state.textContent = say("diary.refused"); return; }
      }
      told();
    } catch (error) { told(); } finally { busy = false; }
  }

  async function today() {
    try {
      const answer = await ask("/phone/today", { method: "GET" });
      if (answer.status !== 200) throw new Error("away");
      localStorage.setItem("today", JSON.stringify((await answer.json()).result));
    } catch (error) { /* the last one that was seen is shown */ }
    let seen = null;
    try { seen = JSON.parse(localStorage.getItem("today")); } catch (error) { seen = null; }
    scales.replaceChildren();
    for (const name of (seen && seen.asks) || ["tension"]) { scale(name); if (seen && seen.told && seen.told[name] !== null && seen.told[name] !== undefined) mark(name, seen.told[name]); }
    $("reminder").hidden = !(seen && seen.reminder); $("reminder").textContent = seen && seen.reminder || "";
    if (seen && seen.advice) { $("advice").hidden = false; $("advice-title").textContent = seen.advice.title; $("advice-text").textContent = seen.advice.text; }
  }

  if (!token) return;
  $("diary").hidden = false;
  $("massage").addEventListener("submit", (event) => {
    event.preventDefault();
    add("massage", { at_ns: Math.floor(Date.now() / 1000) * 1e9, minutes: Number($("minutes").value), by: $("by").value });
  });
  document.addEventListener("diary-entry", (event) => add(event.detail.kind, event.detail.body));
  today().then(send);
  setInterval(() => { if (read().length) send(); }, EVERY_MS);
  window.addEventListener("online", send);
})();
