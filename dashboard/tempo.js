// SPDX-License-Identifier: Apache-2.0
// The big clock of a guided set. The page says once a second where the session stands; in between
// this counts on by itself. `cueAt`, `beep` and `speak` stand before it: tracker/collect/page/tempo.js.
function tick(root, keep) {
  const d = keep.data, passed = (performance.now() - keep.begun) / 1000, at = cueAt(d, passed);
  root.querySelector(".left").textContent = at.left ? Math.ceil(at.left) + " s" : "";
  root.querySelector(".bar i").style.width = Math.round(100 * Math.min(1, Math.max(0, at.share))) + "%";
  if (at.cue !== keep.cue) {
    root.querySelector(".cue").textContent = d.words[at.cue] || "";
    const first = keep.cue === "";
    keep.cue = at.cue;
    root.querySelector(".tempo").dataset.cue = at.cue;
    // "ready" and the first second of a rest are silent: somebody has just tapped.
    if (!(first && (at.cue === "ready" || at.cue === "rest")) && d.sound !== "off")
      if (d.sound !== "voice" || !speak(d.words[at.cue], d.lang)) beep(keep, at.cue);
  }
}

export default function (component) {
  const root = component.parentElement, d = component.data;
  const keep = (root.__tempo ??= { id: null, cue: "", counted: 0 });
  if (keep.id !== d.id) {
    keep.id = d.id; keep.cue = ""; keep.counted = 0; keep.begun = performance.now() - 1000 * d.passed_s;
  }
  keep.data = d;
  root.querySelector(".count").textContent = d.count_text;
  root.querySelector(".by").textContent = d.by_text;
  if (d.sound === "voice" && d.phase === "work" && d.count > keep.counted && d.by === "sensor") speak(String(d.count), d.lang);
  keep.counted = d.count;
  clearInterval(keep.timer);
  keep.timer = setInterval(() => (root.isConnected === false ? clearInterval(keep.timer) : tick(root, keep)), 100);
  tick(root, keep);
  return () => clearInterval(keep.timer);
}
