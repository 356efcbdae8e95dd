// What can be done with an answer: copy, print, share, read aloud, judge, undo. Only a judgement sends anything.
import { fill } from "./places.js";

const SAID_FOR = 2500; // milliseconds for which a button tells what it has done

const answerOf = (button) => button.closest(".yb-answer");

export function say(text) {
  const status = document.getElementById("yb-status");
  if (status && status.textContent !== text) status.textContent = text;
}

// The lines of an answer, without the little numbers behind its sentences.
function linesOf(answer) {
  return [...answer.querySelectorAll(".yb-plain p")].map((line) => line.textContent);
}

// An answer in words: what a voice should say.
export function spoken(answer) {
  const lines = linesOf(answer).map((line) =>
    line.replace(/\[\d+\]/g, "").replace(/^【(\d+)】/, "出处$1：").replace(/[（）《》“”]/g, " ").replace(/ +/g, " ").trim(),
  );
  return [answer.querySelector(".yb-kind").textContent, ...lines.filter(Boolean)].join("。").replace(/([。？！：；，])。/g, "$1");
}

function questionOf(answer) {
  const questions = [...document.querySelectorAll("#yb-chat .yb-question")];
  const before = questions.filter((q) => q.compareDocumentPosition(answer) & Node.DOCUMENT_POSITION_FOLLOWING);
  return before.at(-1)?.textContent ?? "";
}

function tell(button, text) {
  const words = button.dataset.words ?? button.textContent;
  button.dataset.words = words;
  button.textContent = text;
  say(text);
  setTimeout(() => {
    button.textContent = words;
  }, SAID_FOR);
}

async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const box = document.createElement("textarea"); // a page without https has no clipboard
  box.value = text;
  document.body.append(box);
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  if (!done) throw new Error("copy");
  return undefined;
}

async function copy(button, text, done) {
  try {
    await copyText(text);
    tell(button, done);
  } catch {
    tell(button, "没能复制");
  }
}

function copyAnswer(button) {
  const answer = answerOf(button);
  return copy(button, `问：${questionOf(answer)}\n\n${linesOf(answer).join("\n")}\n`, "已复制");
}

async function share(button) {
  const url = `${location.origin}/?q=${encodeURIComponent(questionOf(answerOf(button)))}`;
  if (!navigator.share) return copy(button, url, "链接已复制");
  try {
    await navigator.share({ title: "医保问答", url });
  } catch {
    // Closed without sharing.
  }
  return undefined;
}

function printAnswer(button) {
  const answer = answerOf(button);
  const rows = [answer, [...document.querySelectorAll(".yb-question")].find((q) => q.textContent === questionOf(answer))];
  rows.forEach((part) => part?.closest(".message-row")?.classList.add("yb-printed"));
  const folded = [...answer.querySelectorAll("details:not([open])")];
  folded.forEach((part) => part.setAttribute("open", ""));
  document.documentElement.classList.add("yb-printing");
  window.print();
  document.documentElement.classList.remove("yb-printing");
  folded.forEach((part) => part.removeAttribute("open"));
  document.querySelectorAll(".yb-printed").forEach((row) => row.classList.remove("yb-printed"));
}

let reading = null; // the button whose answer is being read aloud

function stopReading() {
  if (reading) reading.textContent = "朗读";
  reading = null;
  window.speechSynthesis?.cancel();
}

function readAloud(button) {
  const again = reading === button;
  stopReading();
  if (again) return;
  if (!window.speechSynthesis) {
    tell(button, "不能朗读");
    return;
  }
  reading = button;
  button.textContent = "停止";
  const sentences = spoken(answerOf(button)).split(/(?<=[。？！])/); // some browsers stop after 15 seconds of one
  sentences.forEach((sentence, n) => {
    const words = new SpeechSynthesisUtterance(sentence);
    words.lang = "zh-CN";
    words.rate = 0.9;
    words.onend = () => n === sentences.length - 1 && reading === button && stopReading();
    words.onerror = () => reading === button && stopReading();
    window.speechSynthesis.speak(words);
  });
}

// A name of its own for each verdict: sent again after a lost answer, it counts once.
const keys = new WeakMap();

function keyOf(button) {
  if (!keys.has(button)) keys.set(button, [...crypto.getRandomValues(new Uint32Array(4))].join("-"));
  return keys.get(button);
}

async function judge(button, verdict, reason) {
  const answer = answerOf(button);
  const others = [...answer.classList].filter((css) => !["yb-answer", "yb-asking"].includes(css));
  const kind = others.find((css) => css.startsWith("yb-")) ?? "yb-answer";
  let refusal = "没有送出";
  try {
    const sent = await fetch("/api/feedback", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ question: questionOf(answer), answer_kind: kind.slice(3), verdict, reason, key: keyOf(button) }),
    });
    if (sent.status === 503) refusal = (await sent.json()).error; // not stored: the server says why
    if (!sent.ok) throw new Error(String(sent.status));
  } catch {
    tell(button, refusal);
    return;
  }
  answer.classList.remove("yb-asking");
  answer.querySelectorAll(".yb-good, .yb-bad").forEach((one) => one.remove());
  const thanks = document.createElement("p");
  thanks.className = "yb-thanks";
  thanks.textContent = "谢谢，已经记下。";
  thanks.tabIndex = -1;
  answer.querySelector(".yb-acts").append(thanks);
  thanks.focus();
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button.yb-act") : null;
  if (!button || !answerOf(button)) return;
  if (button.matches(".yb-copy")) copyAnswer(button);
  else if (button.matches(".yb-share")) share(button);
  else if (button.matches(".yb-print")) printAnswer(button);
  else if (button.matches(".yb-aloud")) readAloud(button);
  else if (button.matches(".yb-good")) judge(button, "good", "");
  else if (button.matches(".yb-bad")) {
    answerOf(button).classList.add("yb-asking");
    answerOf(button).querySelector(".yb-reason").focus();
  } else if (button.matches(".yb-reason")) {
    const reason = button.dataset.words ?? button.textContent; // it may just be telling something else
    judge(button, "bad", reason === "说不上来" ? "" : reason);
  }
});
addEventListener("pagehide", stopReading);

// What is being typed outlives a lost connection or a reload, in this tab alone; a shared link brings a question.
const DRAFT = "yb-draft";

export function keepDraft(text) {
  try {
    sessionStorage.setItem(DRAFT, text);
  } catch {
    // Then a reload loses it.
  }
}

export function restoreDraft() {
  let draft = new URLSearchParams(location.search).get("q") ?? "";
  if (location.search) history.replaceState(null, "", "/");
  try {
    draft ||= sessionStorage.getItem(DRAFT) ?? "";
  } catch {
    // Nothing was kept.
  }
  if (draft) fill("yb-question", draft.slice(0, 500));
}
