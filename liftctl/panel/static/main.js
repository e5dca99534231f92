// Start of the page: fetch the room and its words, then one loop that draws the newest state.

import { Afar } from "./afar.js";
import { Dim } from "./dim.js";
import { $, h } from "./dom.js";
import { Hold } from "./hold.js";
import { Link } from "./link.js";
import { Lowering, Never } from "./lowering.js";
import { Pad } from "./pad.js";
import { Status } from "./status.js";
import { Task } from "./task.js";
import { ask, choose, language, remembered, t } from "./words.js";

const RETRY_MS = 1000;
const link = new Link();
const hold = new Hold(link);
const never = new Never();
let newest = null;
let leaving = false;

function stop(event) {
  if (!event.isTrusted) return;
  link.stop();
  hold.end();
  $("stop").classList.add("pressed");
  setTimeout(() => $("stop").classList.remove("pressed"), 600);
}

// STOP acts on the way down (WCAG 2.5.2: essential), with any finger, and never asks.
$("stop").addEventListener("pointerdown", stop);
window.addEventListener("keydown", (event) => {
  const onStop = document.activeElement === $("stop") && [" ", "Enter"].includes(event.key);
  if (event.key === "Escape" || onStop) stop(event);
});
link.addEventListener("state", ({ detail }) => {
  newest = detail;
  hold.observe(detail);
});
// STOP needs neither the room nor its words.
link.addEventListener("hello", () => document.body.classList.remove("starting"));
link.connect();

const site = await patiently(() => ask("/site.json"));
await patiently(() => choose(remembered(site.languages)));
document.title = site.title;

const parts = [
  new Status(site, link), new Pad(site, link, hold), new Lowering(site), new Task(site, link), new Afar(link), new Dim(hold),
];

async function patiently(act) {
  for (;;) {
    try {
      return await act();
    } catch {
      await new Promise((go) => setTimeout(go, RETRY_MS));
    }
  }
}

/** The panel came back with another configuration or version: this page is not its page any more. */
function outdated() {
  if (leaving || !link.build || link.build === site.build || !hold.neutral) return;
  leaving = true;
  location.reload();
}

function draw() {
  outdated();
  const contact = link.fresh && newest !== null;
  const state = contact ? newest : null;
  const nobodyLowers = never.after(state);
  for (const part of parts) part.render(state, contact, nobodyLowers);
  const reset = $("reset");
  // A joystick that is freed while somebody leans on it drives: then the button must not say that nothing moves.
  reset.textContent = t(state?.resettable.includes("drive_waits") ? "ui.reset_drive" : "ui.reset");
  reset.hidden = !state?.resettable.length;
  $("stop").setAttribute("aria-label", t("ui.stop_label"));
  document.body.classList.toggle("nocontact", !contact);
}

$("reset").addEventListener("click", () => link.reset());

for (const code of site.languages) {
  const button = h("button", { type: "button", lang: code }, code.toUpperCase());
  const mark = () => button.setAttribute("aria-pressed", String(language === code));
  button.addEventListener("click", async () => {
    await choose(code);
    for (const other of $("langs").children) {
      other.setAttribute("aria-pressed", String(other.lang === language));
    }
  });
  mark();
  $("langs").append(button);
}

setInterval(draw, 100);
hold.addEventListener("change", draw);
