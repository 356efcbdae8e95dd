// One question at a time: what is sent while another is being answered waits its turn, and nothing is lost.
import { fill } from "./places.js";
import { keepDraft, say } from "./tools.js";

const PATIENCE = 20000; // milliseconds after which an unanswered question holds no other one up
const SETTLE = 30; // milliseconds for Gradio to take over a filled-in text

const root = document.documentElement;
const byId = (id) => document.getElementById(id);
const box = () => document.querySelector("#yb-question textarea");
let under = ""; // the question that is being answered
let since = 0;
let later = []; // those that wait for it
const toasts = new WeakSet();

const asking = () => under !== "" && Date.now() - since < PATIENCE;

// Everything that was asked and not answered, and what is in the box: it outlives a reload.
export function keepTyped() {
  const typed = box()?.value.trim() ?? "";
  keepDraft([...new Set([under, ...later, typed])].filter(Boolean).join("\n"));
}

function show() {
  root.classList.toggle("yb-asking", under !== "");
  const waiting = [];
  for (const [css, text] of under ? [["yb-question", under], ["yb-waiting", "正在查找资料…"]] : []) {
    const part = document.createElement("div");
    part.className = css;
    part.textContent = text;
    waiting.push(part);
  }
  byId("yb-pending").replaceChildren(...waiting);
  byId("yb-later").textContent = later.length ? `前一个问题答完，接着答：${later.join("；")}` : "";
}

function begin(question) {
  under = question;
  since = Date.now();
  show();
  keepTyped();
  byId("yb-pending").scrollIntoView({ block: "start" });
}

function send(question) {
  fill("yb-asked", question);
  begin(question);
  setTimeout(() => byId("yb-ask").click(), SETTLE);
}

function wait(question) {
  if (!later.includes(question) && question !== under) later.push(question);
  if (box().value.trim() === question) fill("yb-question", "");
  show();
  keepTyped();
  say("前一个问题还在查，这个问题接着就答。");
}

// An answer has come: empty the box if it still holds what was answered, then the next question, if any.
export function answered(question) {
  const bare = (text) => text.replace(/\s/g, "");
  if (box() && question && bare(box().value) === bare(question)) fill("yb-question", "");
  under = "";
  const next = later.shift();
  show();
  keepTyped();
  if (next) setTimeout(() => send(next), SETTLE);
  return next !== undefined;
}

// It failed: everything that was not answered goes back into the box.
function failed() {
  const typed = box().value.trim();
  const lost = [under, ...later].filter((text) => !typed.includes(text));
  [under, later] = ["", []];
  fill("yb-question", [typed, ...lost].filter(Boolean).join("\n"));
  show();
  keepTyped();
}

export function lookForFailure() {
  for (const toast of document.querySelectorAll(".toast-body")) {
    if (toasts.has(toast)) continue;
    toasts.add(toast);
    if (under) failed();
  }
}

// A typed question goes by a field of its own: Gradio reads the box later, when the next one may stand there.
function sending(event) {
  const typed = box().value.trim();
  if (!typed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (asking()) wait(typed);
  else send(typed);
}

document.addEventListener("yb-place-told", () => {
  const last = [...document.querySelectorAll("#yb-chat .yb-question")].at(-1)?.textContent;
  if (last && !asking()) send(last);
});

document.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.target !== box()) return;
    sending(event);
  },
  true,
);

document.addEventListener(
  "click",
  (event) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    if (!button) return;
    if (button.matches("#yb-question .submit-button")) sending(event);
    else if (button.matches(".yb-choice")) {
      const question = button.querySelector(".yb-asks").textContent;
      if (asking()) wait(question);
      else send(question);
    } else if (button.matches(".yb-restart, .yb-undo") && !asking()) {
      byId(button.matches(".yb-undo") ? "yb-undo" : "yb-begin").click();
    }
  },
  true,
);
