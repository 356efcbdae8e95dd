// Behaviour that Gradio does not have: evidence panel, focus, announcements, Chinese labels.
import { answered as answerCame, keepTyped, lookForFailure } from "./asking.js";
import { showChips } from "./places.js";
import { restoreDraft, say, spoken } from "./tools.js";
import { showLook } from "./look.js";

const root = document.documentElement;
const SAID_FOR = 6000; // milliseconds for which an announced answer stays for screen readers
const DRAWN = 150; // milliseconds in which Gradio has drawn an answer
const LOST = "连接中断或者现在太忙。您写的内容还在，请稍后再按一次“发送”。";
const LABELS = [
  ["[role=log]", "aria-label", "问答记录"],
  ["[role=log]", "aria-live", "off"], // an answer is announced once, by the status line
  ["#yb-status", "role", "status"],
  ["#yb-evidence", "role", "region"],
  ["#yb-evidence", "aria-label", "出处"],
  [".toast-close", "aria-label", "关闭提示"],
  [".toast-header", "role", "presentation"], // its button to close stays
  [".toast-header", "tabindex", "-1"],
  ["#yb-question textarea", "aria-label", "您的问题，请不要写姓名、身份证号"],
];
let opener = null; // what had the focus before the evidence was opened
let answersSeen = 0;
let lastAnswer = null;
let restored = false;

// Gradio draws the evidence after the answer: a press that comes between waits for it.
function openEvidence(link, waits = 20) {
  const card = document.getElementById(link.getAttribute("href").slice(1));
  if (!card) {
    if (waits && link.isConnected) setTimeout(openEvidence, DRAWN, link, waits - 1);
    return;
  }
  opener = link;
  document.querySelectorAll(".yb-card.yb-on").forEach((other) => other.classList.remove("yb-on"));
  card.classList.add("yb-on");
  root.classList.add("yb-open");
  card.focus({ preventScroll: true });
  const panel = document.getElementById("yb-evidence");
  panel.scrollTop = 0;
  const mark = pressedMark(card, link) ?? card.querySelector("mark");
  if (!mark) return;
  // The quoted words come into view without hiding where they are from.
  const hidden = mark.getBoundingClientRect().bottom - panel.getBoundingClientRect().bottom;
  if (hidden > 0) panel.scrollTop = hidden + 24;
}

// Singles out the sentence whose marker was pressed; one that goes over several lines has several marks.
function pressedMark(card, link) {
  const at = [...link.classList].find((css) => css.startsWith("yb-at-"));
  card.querySelectorAll("mark").forEach((mark) => mark.classList.toggle("yb-pressed", mark.classList.contains(at)));
  return card.querySelector("mark.yb-pressed");
}

function closeEvidence() {
  if (!root.classList.contains("yb-open")) return;
  root.classList.remove("yb-open");
  if (opener && opener.isConnected) opener.focus();
  opener = null;
}

// Drawn anew, the evidence has forgotten which card was open.
function keepEvidence() {
  const lost = root.classList.contains("yb-open") && !document.querySelector(".yb-card.yb-on");
  if (lost && opener?.isConnected) openEvidence(opener, 0);
}

function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

function speakChinese() {
  for (const [selector, name, value] of LABELS) {
    document.querySelectorAll(selector).forEach((element) => set(element, name, value));
  }
  // Gradio labels every message with its raw source.
  document
    .querySelectorAll("#yb-chat [data-testid=bot][aria-label], #yb-chat [data-testid=user][aria-label]")
    .forEach((message) => message.removeAttribute("aria-label"));
  document.querySelectorAll("a.yb-marker").forEach((marker) => {
    set(marker, "role", "button");
    set(marker, "aria-label", `查看出处${marker.textContent.replace(/\D/g, "")}`);
  });
  document.querySelectorAll("a[href^='tel:'][target], a.yb-tool[target]").forEach((link) => link.removeAttribute("target"));
  // Gradio's own warnings are English; ours are not.
  document.querySelectorAll(".toast-title, [data-testid=toast-text]").forEach((text) => {
    if (/[\u4e00-\u9fff]/.test(text.textContent) || !text.textContent.trim()) return;
    text.textContent = text.classList.contains("toast-title") ? "提示" : LOST;
  });
}

function announce(answer) {
  say(spoken(answer));
  setTimeout(() => say(""), SAID_FOR);
}

function followConversation() {
  const questions = document.querySelectorAll("#yb-chat .yb-question");
  const answers = document.querySelectorAll("#yb-chat .yb-answer");
  const newest = answers[answers.length - 1] ?? null;
  const answered = answers.length > answersSeen || (newest && newest !== lastAnswer && answers.length === answersSeen);
  answersSeen = answers.length;
  lastAnswer = newest;
  if (!answered) return;
  const question = questions[questions.length - 1];
  const more = answerCame(question?.textContent ?? "");
  // At once and when Gradio has drawn everything: earlier answers may change their height.
  const show = () => question?.isConnected && question.scrollIntoView({ block: "start" });
  show();
  if (!more) setTimeout(show, DRAWN);
  announce(newest);
  root.classList.remove("yb-open");
  const box = document.querySelector("#yb-question textarea");
  // On a phone the keyboard would hide the answer; at a desk the next question can follow at once.
  if (matchMedia("(pointer: coarse)").matches) box?.blur();
  else if (document.activeElement === document.body) box?.focus({ preventScroll: true });
}

function update() {
  keepEvidence();
  speakChinese();
  showLook();
  showChips();
  followConversation();
  lookForFailure();
  if (!restored && document.querySelector("#yb-question textarea")) {
    restored = true;
    restoreDraft();
  }
}

document.addEventListener(
  "click",
  (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const link = target?.closest("a.yb-cite");
    if (link) {
      event.preventDefault();
      openEvidence(link);
    } else if (target?.closest("#yb-close")) closeEvidence();
    else if (!matchMedia("(min-width: 64rem)").matches && !target?.closest("#yb-evidence")) closeEvidence();
  },
  true,
);

document.addEventListener("input", (event) => {
  if (event.target instanceof Element && event.target.matches("#yb-question textarea")) keepTyped();
});

document.addEventListener("keydown", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (event.key === "Escape") closeEvidence();
  else if (event.key === " " && target?.matches("a.yb-marker")) {
    event.preventDefault();
    openEvidence(target);
  }
});

new MutationObserver(update).observe(root, {
  subtree: true,
  childList: true,
  attributes: true,
  attributeFilter: ["aria-label"],
});
update();
