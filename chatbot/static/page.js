// Behaviour that Gradio does not have: evidence panel, large print, focus, Chinese labels.
// Nothing here sends or stores a question.
"use strict";

const root = document.documentElement;
const LOST = "连接中断或者现在太忙。您写的内容还在，请稍后再按一次“发送”。";
const LABELS = [
  ["[role=log]", "aria-label", "问答记录"],
  ["#yb-evidence", "role", "region"],
  ["#yb-evidence", "aria-label", "出处"],
  [".toast-close", "aria-label", "关闭提示"],
];
let opener = null; // what had the focus before the evidence was opened
let questionsSeen = 0;
let answersSeen = 0;

function openEvidence(link) {
  const card = document.getElementById(link.getAttribute("href").slice(1));
  if (!card) return;
  opener = link;
  document.querySelectorAll(".yb-card.yb-on").forEach((other) => other.classList.remove("yb-on"));
  card.classList.add("yb-on");
  root.classList.add("yb-open");
  card.focus({ preventScroll: true });
  const panel = document.getElementById("yb-evidence");
  panel.scrollTop = 0;
  const mark = card.querySelector("mark");
  if (!mark) return;
  // The quoted words come into view without hiding where they are from.
  const hidden = mark.getBoundingClientRect().bottom - panel.getBoundingClientRect().bottom;
  if (hidden > 0) panel.scrollTop = hidden + 24;
}

function closeEvidence() {
  if (!root.classList.contains("yb-open")) return;
  root.classList.remove("yb-open");
  if (opener && opener.isConnected) opener.focus();
  opener = null;
}

function showPrintSize() {
  const button = document.getElementById("yb-big-toggle");
  if (!button) return;
  const big = root.classList.contains("yb-big");
  if (button.getAttribute("aria-pressed") !== String(big)) {
    button.setAttribute("aria-pressed", String(big));
    button.textContent = big ? "标准字" : "大字";
  }
}

function togglePrintSize() {
  const big = root.classList.toggle("yb-big");
  try {
    localStorage.setItem("yb-big", big ? "1" : "0");
  } catch {
    // Not remembered, but it holds for this visit.
  }
  showPrintSize();
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
  document.querySelectorAll("a[href^='tel:'][target]").forEach((link) => link.removeAttribute("target"));
  // Gradio's own warnings are English; ours are not.
  document.querySelectorAll(".toast-title, .toast-text").forEach((text) => {
    if (/[\u4e00-\u9fff]/.test(text.textContent) || !text.textContent.trim()) return;
    text.textContent = text.classList.contains("toast-title") ? "提示" : LOST;
  });
}

function followConversation() {
  const questions = document.querySelectorAll("#yb-chat .yb-question");
  const answers = document.querySelectorAll("#yb-chat .yb-answer");
  if (questions.length === questionsSeen && answers.length === answersSeen) return;
  const answered = answers.length > answersSeen;
  const started = questions.length > questionsSeen;
  questionsSeen = questions.length;
  answersSeen = answers.length;
  const last = questions[questions.length - 1];
  if (!last) return;
  if (started || answered) last.scrollIntoView({ block: "start" });
  if (!answered) return;
  root.classList.remove("yb-open");
  const box = document.querySelector("#yb-question textarea");
  // On a phone the keyboard would hide the answer; at a desk the next question can follow at once.
  if (matchMedia("(pointer: coarse)").matches) box?.blur();
  else if (document.activeElement === document.body) box?.focus({ preventScroll: true });
}

function update() {
  speakChinese();
  showPrintSize();
  followConversation();
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
    else if (target?.closest("#yb-big-toggle")) togglePrintSize();
    else if (!matchMedia("(min-width: 64rem)").matches && !target?.closest("#yb-evidence")) closeEvidence();
  },
  true,
);

document.addEventListener("keydown", (event) => {
  const target = event.target instanceof Element ? event.target : null;
  if (event.key === "Escape") closeEvidence();
  else if (event.key === "Enter" && !event.isComposing && target?.closest("#yb-region")) {
    event.preventDefault();
    document.querySelector("#yb-question textarea")?.focus();
  } else if (event.key === " " && target?.matches("a.yb-marker")) {
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
