// SPDX-License-Identifier: Apache-2.0
// Guided training on the phone. The plan comes from the computer; the session then runs on the phone,
// also while the computer is away. The count comes from whatever sensor the person wears, this phone
// included; a tap wins; without either the clock counts.
"use strict";

(() => {
  const ASK_MS = 1000, AWAY_MS = 20000, SOUNDS = ["beep", "voice", "off"];
  const lang = document.documentElement.lang, keep = { cue: "" };
  let plan = null, run = null, sound = localStorage.getItem("t-sound") || "beep", asking = false;

  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? values[key] : whole));
  const words = (key, values = {}) => fill(say("training." + key), values);
  // While a set runs nothing else is on the page.
  const show = (id) => {
    for (const part of ["t-plan", "t-run", "t-end"]) $(part).hidden = part !== id;
    document.body.classList.toggle("busy", id !== "t-plan");
    window.scrollTo(0, 0);
  };

  async function ask(path) {
    const answer = await fetch(path, { cache: "no-store", headers: { "authorization": "Bearer " + token }, signal: AbortSignal.timeout(AWAY_MS) });
    if (answer.status !== 200) throw new Error("away");
    return (await answer.json()).result;
  }

  async function load() {
    try { plan = await ask("/phone/training?lang=" + lang); localStorage.setItem("t-plan", JSON.stringify(plan)); }
    catch (error) { try { plan = JSON.parse(localStorage.getItem("t-plan")); } catch (broken) { plan = null; } }
    if (!plan || run) return;
    $("training").hidden = false;
    list();
    morning();
  }

  function list() {
    const items = chosen();
    $("t-next").textContent = plan.reason + " " + words("next", { minutes: plan.minutes, n: items.length });
    $("t-list").replaceChildren(...items.map((item) => { const row = document.createElement("li"); row.textContent = item.name + ": " + item.dose; return row; }));
  }

  const chosen = () => plan.items.filter((item) => $("t-warm").checked || !item.warm_up);

  function morning() {
    const asked = plan.morning;
    $("t-morning").hidden = !asked || localStorage.getItem("t-answered") === String(asked.at_ns);
    if (!asked) return;
    $("t-day").textContent = asked.text;
    $("t-answers").replaceChildren(...asked.answers.map(({ value, text }) => button(text, "plain", () => {
      localStorage.setItem("t-answered", String(asked.at_ns));
      tell("morning", { at_ns: asked.at_ns, next_morning: value });
      $("t-morning").hidden = true;
    })));
  }

  function button(text, kind, action) {
    const made = document.createElement("button");
    made.type = "button"; made.textContent = text; made.className = kind;
    made.addEventListener("click", action);
    return made;
  }

  const tell = (kind, body) => document.dispatchEvent(new CustomEvent("diary-entry", { detail: { kind, body } }));

  // -- the session --------------------------------------------------------------------------------

  function begin() {
    run = { items: chosen(), item: 0, set: 0, side: "", phase: "ready", since: performance.now(), taps: 0,
      live: {}, results: [], skipped: [], effort: null, stop: "", begun: Date.now() };
    run.side = run.items[0].per_side ? "left" : "";
    show("t-run"); draw(); awake();
  }

  async function awake() {
    try { if ("wakeLock" in navigator) run.lock = await navigator.wakeLock.request("screen"); } catch (error) { /* the page says so where it measures */ }
  }

  const item = () => run.items[run.item];
  const target = () => item().sets[run.set];
  const phase = (name) => { run.phase = name; run.since = performance.now(); run.live = {}; draw(); };
  const passed = () => (performance.now() - run.since) / 1000;
  const asData = () => ({ ...plan.tempo, phase: run.phase, hold_s: target().hold_s, rest_s: run.side === "right" ? plan.tempo.rest_side_s : plan.tempo.rest_s });

  function state() {
    const d = asData(), goal = target(), at = Math.max(0, passed() - d.count_in_s), cycle = d.up_s + d.hold_s + d.down_s;
    if (item().mode === "hold") {
      const inside = at % cycle, clock = Math.floor(at / cycle) * d.hold_s + Math.min(Math.max(0, inside - d.up_s), d.hold_s);
      const seen = run.live.hold_s !== undefined;
      return { n: Math.min(seen ? run.live.hold_s : clock, goal.reps * goal.hold_s), of: goal.reps * goal.hold_s, by: seen ? "sensor" : "timer" };
    }
    if (run.taps) return { n: run.taps, of: goal.reps, by: "user" };
    if (run.live.reps !== undefined && item().mode === "reps") return { n: run.live.reps, of: goal.reps, by: "sensor" };
    return { n: Math.min(goal.reps, Math.floor(at / cycle)), of: goal.reps, by: "timer" };
  }

  function draw() {
    const one = item(), side = run.side ? " (" + words(run.side) + ")" : "";
    $("t-step").textContent = words("step", { n: run.item + 1, of: run.items.length });
    if ($("t-name").textContent !== one.name) {
      $("t-name").textContent = one.name;
      const picture = new DOMParser().parseFromString(one.svg, "image/svg+xml").documentElement;
      $("t-picture").replaceChildren(document.importNode(picture, true));
      $("t-how").textContent = [one.start, one.movement, one.breathing, one.see].join(" ");
    }
    $("t-set").textContent = words("set", { n: run.set + 1, of: one.sets.length }) + side + " · " + one.dose;
    $("t-go").textContent = words(run.phase === "work" ? "finish_set" : "begin_set");
    $("t-tap").hidden = run.phase !== "work" || one.mode === "hold";
    keep.cue = "";
    tick();
  }

  function tick() {
    if (!run || !["ready", "work", "rest"].includes(run.phase)) return;
    const d = asData(), at = cueAt(d, passed());
    $("t-left").textContent = at.left ? Math.ceil(at.left) + " s" : "";
    $("t-bar").style.width = Math.round(100 * Math.min(1, Math.max(0, at.share))) + "%";
    if (at.cue !== keep.cue) {
      const first = keep.cue === "", spoken = { up: item().out, down: item().back }[at.cue] || words("cue." + at.cue);
      keep.cue = at.cue;
      $("t-cue").textContent = spoken;
      if (!(first && at.cue !== "count_in") && sound !== "off" && (sound !== "voice" || !speak(spoken, lang))) beep(keep, at.cue);
    }
    if (run.phase !== "work") { $("t-count").textContent = $("t-by").textContent = ""; return; }
    const now = state(), hold = item().mode === "hold";
    $("t-count").textContent = words(hold ? "held" : "counted", { n: Math.floor(now.n), seconds: Math.floor(now.n), of: Math.round(now.of) });
    $("t-by").textContent = words((hold ? "held_" : "by_") + now.by);
    if (now.n >= now.of) finish();
  }

  async function live() {
    if (!run || run.phase !== "work" || asking || !token || item().mode === "guided") return;
    asking = true;
    const since = run.since;
    try {
      const seen = await ask("/phone/training/live?exercise=" + encodeURIComponent(item().exercise) + "&ago_s=" + passed().toFixed(2));
      if (run && run.since === since) for (const name of ["reps", "hold_s"])
        if (seen[name]) run.live[name] = Math.max(run.live[name] || 0, seen[name]);
    } catch (error) { /* the clock counts on */ } finally { asking = false; }
  }

  function finish() {
    const now = state(), goal = target(), hold = item().mode === "hold";
    const times = hold ? Math.min(goal.reps, Math.max(1, Math.round(now.n / goal.hold_s))) : Math.round(now.n);
    run.results.push([item().exercise, times, hold ? Math.round(10 * now.n / times) / 10 : goal.hold_s, item().name, !item().warm_up]);
    run.taps = 0;
    if (item().per_side && run.side === "left") { run.side = "right"; phase("rest"); return; }
    if (run.set + 1 < item().sets.length) { run.set += 1; run.side = item().per_side ? "left" : ""; phase("rest"); return; }
    onward();
  }

  function onward() {
    if (run.item + 1 >= run.items.length) { end("effort"); return; }
    run.item += 1; run.set = 0; run.taps = 0; run.side = item().per_side ? "left" : "";
    phase("ready");
  }

  function end(why) {
    run.phase = why;
    show("t-end");
    $("t-effort").hidden = why !== "effort";
    const minutes = Math.max(1, Math.round((Date.now() - run.begun) / 60000));
    run.minutes = minutes;
    $("t-summary").textContent = words("summary", { n: run.results.length, minutes });
    $("t-keep").hidden = !run.results.length;
    if (run.lock) run.lock.release();
  }

  function save() {
    const planned = run.items.filter((i) => !i.warm_up).reduce((n, i) => n + i.sets.length * (i.per_side ? 2 : 1), 0);
    tell("training", { at_ns: Math.floor(run.begun / 1000) * 1e9, minutes: run.minutes, sets: run.results.map((r) => r.slice(0, 3)),
      effort: run.effort, level: plan.level, completed: !run.stop && run.results.filter((r) => r[4]).length === planned,
      stop_reason: run.stop, skipped: run.skipped });
    close();
  }

  function close() { run = null; show("t-plan"); load(); }

  if (!token) return;
  $("t-warm").addEventListener("change", list);
  $("t-begin").addEventListener("click", begin);
  $("t-go").addEventListener("click", () => { if (run.phase === "work") finish(); else phase("work"); });
  $("t-tap").addEventListener("click", () => { run.taps += 1; tick(); });
  $("t-skip").addEventListener("click", () => { run.skipped.push(item().exercise); onward(); });
  $("t-keep").addEventListener("click", save);
  $("t-drop").addEventListener("click", close);
  for (let n = 0; n <= 10; n++) {
    const made = button(String(n), "", () => { run.effort = n; for (const b of $("t-effort").querySelectorAll("button")) b.setAttribute("aria-pressed", String(b === made)); });
    made.setAttribute("aria-pressed", "false");
    $("t-effort").append(made);
  }
  for (const name of SOUNDS) {
    const made = button(words("sound_" + name), "", () => {
      sound = name; localStorage.setItem("t-sound", name);
      for (const b of $("t-sound").querySelectorAll("button")) b.setAttribute("aria-pressed", String(b === made));
    });
    made.setAttribute("aria-pressed", String(name === sound));
    $("t-sound").append(made);
  }
  for (const reason of ["exercise_pain", "unwell", "other"]) {
    const text = document.createElement("p");
    text.textContent = words("stop_" + reason);
    $("t-stops").append(text, button(words("stop"), "plain", () => { run.stop = reason; end("stopped"); }));
  }
  load();
  setInterval(tick, 100);
  setInterval(live, ASK_MS);
})();
