// SPDX-License-Identifier: Apache-2.0
// Cue and sound of a guided set, for the phone page and for the dashboard's clock. No sound before
// the first tap, and no voice that is not on this device.
"use strict";

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

function cueAt(d, passed) {
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
