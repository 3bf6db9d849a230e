// SPDX-License-Identifier: Apache-2.0
// Cue, clock and sound of a guided set. The page says once a second where the session stands; in
// between this counts on by itself. No sound before the first tap, no voice that is not on this machine.
const BEEPS = { count_in: 520, up: 660, hold: 880, down: 440, rest: 340, over: 740 };

function beep(keep, cue) {
  const Sound = window.AudioContext || window.webkitAudioContext;
  if (!Sound) return;
  keep.sound ??= new Sound();
  const tone = keep.sound.createOscillator(), loud = keep.sound.createGain(), now = keep.sound.currentTime;
  tone.frequency.value = BEEPS[cue] || 520;
  loud.gain.setValueAtTime(0.12, now);
  loud.gain.exponentialRampToValueAtTime(0.001, now + 0.22);
  tone.connect(loud).connect(keep.sound.destination);
  tone.start(now); tone.stop(now + 0.25);
}

function speak(text, lang) {
  const desk = window.speechSynthesis;
  const voice = desk && desk.getVoices().find((v) => v.localService && v.lang.startsWith(lang));
  if (!voice || !text) return false;
  const said = new SpeechSynthesisUtterance(text);
  said.voice = voice; said.lang = voice.lang; said.rate = 1.1;
  desk.cancel(); desk.speak(said);
  return true;
}

function now(d, passed) {
  if (d.phase === "rest") {
    const left = d.rest_s - passed;
    return left > 0 ? { cue: "rest", left, share: 1 - left / d.rest_s } : { cue: "over", left: 0, share: 1 };
  }
  if (d.phase !== "work") return { cue: "ready", left: 0, share: 0 };
  let at = passed - d.count_in_s;
  if (at < 0) return { cue: "count_in", left: -at, share: passed / d.count_in_s };
  at %= d.up_s + d.hold_s + d.down_s;
  if (at < d.up_s) return { cue: "up", left: d.up_s - at, share: at / d.up_s };
  at -= d.up_s;
  if (at < d.hold_s) return { cue: "hold", left: d.hold_s - at, share: at / d.hold_s };
  at -= d.hold_s;
  return { cue: "down", left: d.down_s - at, share: at / d.down_s };
}

function tick(root, keep) {
  const d = keep.data, passed = (performance.now() - keep.begun) / 1000, at = now(d, passed);
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
