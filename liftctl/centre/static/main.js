// The console's frame: who is here, which page, which language. Nothing here can move a lift.
import { $, h } from "/shared/dom.js";
import { choose, language, remembered, t } from "/shared/words.js";
import { get, post } from "./net.js";
import { fleet, learn } from "./fleet.js";
import { device } from "./device.js";
import { audit, evidence } from "./evidence.js";

const LANGUAGES = ["da", "sv", "en"];
const REFRESH_MS = 20000;
let me = null;
let turn = 0;

function page() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  if (name === "device" && rest.length === 2) return ["", () => device(me, ...rest, show)];
  if (name === "evidence") return ["evidence", () => evidence(me, show)];
  if (name === "audit") return ["audit", audit];
  return ["", () => fleet(me, show)];
}

async function show() {
  const mine = ++turn;
  const [, build] = page();
  frame();
  let parts;
  try {
    if (!me) await enter();
    parts = await build();
  } catch (trouble) {
    parts = trouble.status === 401 ? await signin() : [h("p", { class: "error" }, trouble.message || t("centre.away")), h("button", { class: "button", onclick: show }, t("centre.again"))];
  }
  if (mine !== turn) return;
  const open = [...document.querySelectorAll("details")].map((item) => item.open);
  const typing = document.activeElement?.matches("input, select");
  if (typing && parts.length > 1 && document.activeElement.value && mine > 1 && document.activeElement.form) return;
  $("main").replaceChildren(...parts.filter(Boolean));
  document.querySelectorAll("details").forEach((item, n) => { item.open = Boolean(open[n]) && !item.classList.contains("none"); });
  frame();
}

async function enter() {
  me = await get("/api/me");
  await learn();
}

function frame() {
  const [current] = page();
  document.title = `liftctl ${t("centre.name")}`;
  $("brand").textContent = t("centre.name");
  const link = (name, label) => h("a", { href: `#/${name}`, "aria-current": current === name ? "page" : null }, label);
  $("nav").replaceChildren(...(me ? [link("", t("centre.fleet")), link("evidence", t("centre.evidence")), ...(me.role === "home" ? [] : [link("audit", t("centre.audit"))])] : []));
  $("who").replaceChildren(...(me ? [h("span", {}, me.name), h("button", { onclick: leave }, t("centre.sign_out"))] : []));
  $("langs").replaceChildren(...LANGUAGES.map((code) => h("button", { "aria-pressed": String(code === language), lang: code, onclick: () => speak(code) }, code.toUpperCase())));
  $("foot").textContent = t("centre.foot");
}

async function speak(code) {
  await choose(code);
  await show();
}

async function leave() {
  await post("/signout");
  me = null;
  location.hash = "#/";
  await show();
}

async function signin() {
  me = null;
  const ways = await get("/api/signin");
  const demo = ways.demo.map(({ subject, label }) => h("button", { class: "button", onclick: async () => { await post(`/signin/demo/${encodeURIComponent(subject)}`); await show(); } }, label));
  return [h("section", { class: "card signin" }, h("h1", {}, t("centre.sign_in")), ways.oidc ? h("a", { class: "button main", href: "/signin" }, t("centre.sign_in_with")) : null,
    demo.length ? h("p", { class: "soft" }, t("centre.demo_people")) : null, ...demo)];
}

window.addEventListener("hashchange", () => { scrollTo(0, 0); show(); });
setInterval(() => { if (me && !document.hidden && !document.activeElement?.matches("input, select")) show(); }, REFRESH_MS);
const wanted = remembered(LANGUAGES);
choose(localStorage.length ? wanted : LANGUAGES.find((code) => navigator.language.startsWith(code)) ?? "en").then(show);
