// SPDX-License-Identifier: Apache-2.0
// The phone page: motion events into numbered batches, kept until the collector acknowledged them.
"use strict";

const words = JSON.parse(document.body.dataset.words);
const say = (key) => words[key] || key;
const $ = (id) => document.getElementById(id);
const BATCH_MS = 1000;        // one request a second while online
const BATCH_MAX = 1200;       // samples in one request after an offline stretch
const KEEP_MAX = 200000;      // about an hour at 60 Hz in memory; then the oldest go, and are counted
const STATES_OK = [200];

// The token rides behind the # of the QR code's address: it never reaches a log or a server's URL.
const token = new URLSearchParams(location.hash.slice(1)).get("token")
  || sessionStorage.getItem("token") || "";
if (token) sessionStorage.setItem("token", token);
history.replaceState(null, "", location.pathname + location.search);

const session = Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, "0")).join("");
const t0 = Math.round(performance.timeOrigin);
let flip = null;              // iOS Safari reports acceleration with the opposite sign
let samples = [];             // not yet in a batch
let batches = [];             // {batch, s}: made, not yet acknowledged
let next = 0, sent = 0, lost = 0, busy = false, running = false, timer = 0, lock = null, pause = 0;
const trace = [];

function onMotion(event) {
  const a = event.accelerationIncludingGravity, r = event.rotationRate;
  if (!a || a.x === null || a.y === null || a.z === null) return;
  if (flip === null) flip = looksFlipped(a);
  const k = flip ? -1 : 1;
  const row = [round(event.timeStamp, 2), round(k * a.x, 4), round(k * a.y, 4), round(k * a.z, 4)];
  if (r && r.alpha !== null && r.beta !== null && r.gamma !== null) row.push(round(r.alpha, 3), round(r.beta, 3), round(r.gamma, 3));
  samples.push(row);
  trace.push(Math.hypot(a.x, a.y, a.z) / 9.80665);
  if (trace.length > 300) trace.shift();
}

function looksFlipped(a) {
  // The sign cannot be read from one sample; the platform decides (W3C says +z up when face up).
  return /iPad|iPhone|iPod/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);
}

const round = (value, digits) => Math.round(value * 10 ** digits) / 10 ** digits;

function close() {
  while (samples.length) batches.push({ batch: next++, s: samples.splice(0, BATCH_MAX) });
  let kept = batches.reduce((n, b) => n + b.s.length, 0);
  while (kept > KEEP_MAX && batches.length > 1) { const gone = batches.shift(); kept -= gone.s.length; lost += gone.s.length; }
}

async function flush() {
  if (busy) return;
  busy = true;
  try {
    close();
    while (batches.length && performance.now() >= pause) {
      const { batch, s } = batches[0];
      const body = JSON.stringify({ v: 1, src: "devicemotion", session, batch, t0, at: round(performance.now(), 2), flip, s });
      const answer = await fetch("/phone/batch", { method: "POST", body, cache: "no-store",
        headers: { "authorization": "Bearer " + token, "content-type": "application/json" }, signal: AbortSignal.timeout(8000) });
      const said = await answer.json();
      if (STATES_OK.includes(answer.status)) { batches.shift(); sent += s.length; show(said); problem(""); continue; }
      if (answer.status === 422) { batches.shift(); lost += s.length; problem(say("page.refused") + " " + said.text); continue; }
      problem(answer.status === 401 ? say("page.wrong_token") : said.text);
      pause = performance.now() + 1000 * Number(answer.headers.get("retry-after") || (answer.status === 401 ? 30 : 2));
      break;
    }
  } catch (error) {
    $("link").textContent = say("page.offline");
    pause = performance.now() + 2000;
  } finally {
    busy = false;
    counts();
  }
}

function show(said) {
  $("link").textContent = say("page.online");
  if (said.state) $("state").textContent = say("common.state." + said.state);
  $("since").textContent = said.since_ns ? say("page.since").replace("{time}", new Date(said.since_ns / 1e6).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" })) : "";
}

function counts() {
  const waiting = batches.reduce((n, b) => n + b.s.length, 0) + samples.length;
  $("waiting").textContent = waiting + (lost ? " (" + say("page.lost").replace("{n}", lost) + ")" : "");
  $("sent").textContent = sent;
  draw();
}

let lastSent = 0, lastAt = performance.now();
function rate() {
  const now = performance.now(), total = sent + batches.reduce((n, b) => n + b.s.length, 0) + samples.length;
  $("rate").textContent = Math.round((total - lastSent) / (now - lastAt) * 1000) + " Hz";
  lastSent = total; lastAt = now;
}

function draw() {
  const canvas = $("trace"), c = canvas.getContext("2d"), w = canvas.width, h = canvas.height;
  c.clearRect(0, 0, w, h);
  c.strokeStyle = getComputedStyle(document.body).color; c.lineWidth = 2; c.beginPath();
  trace.forEach((g, i) => { const x = i / 299 * w, y = h - Math.min(Math.max(g, 0), 2) / 2 * h; i ? c.lineTo(x, y) : c.moveTo(x, y); });
  c.stroke();
}

function problem(text) { if ($("problem").textContent !== text) $("problem").textContent = text; }

async function keepAwake() {
  try { if ("wakeLock" in navigator && document.visibilityState === "visible") lock = await navigator.wakeLock.request("screen"); }
  catch (error) { problem(say("page.no_wake")); }
}

async function go() {
  if (!token) { problem(say("page.no_token")); return; }
  if (!window.isSecureContext || !("DeviceMotionEvent" in window)) { problem(say("page.no_motion")); return; }
  if (typeof DeviceMotionEvent.requestPermission === "function") {
    if (await DeviceMotionEvent.requestPermission() !== "granted") { problem(say("page.not_allowed")); return; }
  }
  running = true;
  window.addEventListener("devicemotion", onMotion);
  $("start").hidden = true; $("running").hidden = false; problem("");
  await keepAwake();
  timer = setInterval(() => { flush(); }, BATCH_MS);
  setInterval(rate, 2000);
  setTimeout(() => { if (running && !sent && !batches.length && !samples.length) problem(say("page.no_events")); }, 4000);
}

async function stop() {
  running = false;
  window.removeEventListener("devicemotion", onMotion);
  clearInterval(timer);
  pause = 0;
  await flush();
  if (lock) { await lock.release(); lock = null; }
  $("running").hidden = true; $("start").hidden = false;
}

document.addEventListener("visibilitychange", () => { if (running && document.visibilityState === "visible") { keepAwake(); flush(); } });
window.addEventListener("online", () => { pause = 0; if (running) flush(); });
$("go").addEventListener("click", go);
$("stop").addEventListener("click", stop);
