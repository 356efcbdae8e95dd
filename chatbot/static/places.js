// 参保地: type and pick from buttons, recent ones kept on this device; and the chips above the ask box.
const SHOWN = 8; // places offered at once
const RECENT = 5; // places remembered

let forAnswer = false; // whether the picker was opened from an answer that asks for the place
let names = null; // every place of the country by its full name, fetched when the picker is opened

const byId = (id) => document.getElementById(id);
const field = (id) => document.querySelector(`#${id} :is(textarea, input)`);

// Put text into one of Gradio's boxes as if it had been typed.
export function fill(id, text) {
  const box = field(id);
  if (!box || box.value === text) return;
  const kind = box instanceof HTMLTextAreaElement ? HTMLTextAreaElement : HTMLInputElement;
  Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(box, text);
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

function recent() {
  try {
    const kept = JSON.parse(window.ybKept.get("places") ?? "[]");
    return kept.filter((name) => typeof name === "string").slice(0, RECENT);
  } catch {
    return [];
  }
}

// Places whose own name begins with what was typed first, then those that hold it; wide before narrow.
export function matching(all, typed) {
  const wanted = typed.replace(/\s/g, "");
  const rank = (name) => {
    const at = name.indexOf(wanted);
    const starts = at === 0 || "省市区县州盟旗".includes(name[at - 1]);
    return (starts ? 0 : 1000) + (name.length - at - wanted.length) * 10 + name.length;
  };
  return all
    .filter((name) => name.includes(wanted))
    .sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1))
    .slice(0, SHOWN);
}

function button(text, css) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = css;
  made.textContent = text;
  return made;
}

function line(text) {
  const made = document.createElement("p");
  made.textContent = text;
  return made;
}

function offer() {
  const typed = byId("yb-place-name").value.trim();
  const places = byId("yb-places");
  const kept = recent();
  if (!typed) {
    const buttons = kept.map((name) => button(name, "yb-place"));
    if (kept.length) buttons.unshift(line("最近选过："));
    if (kept.length) buttons.push(button("清除记录", "yb-act yb-forget-places"));
    places.replaceChildren(...buttons);
    return;
  }
  const found = matching(names ?? kept, typed);
  const none = names ? "没有找到这个地名，请换个写法，例如“惠州”。" : "正在取地名…";
  places.replaceChildren(...(found.length ? found.map((name) => button(name, "yb-place")) : [line(none)]));
}

async function openPicker(opener) {
  forAnswer = opener.closest(".yb-answer") !== null;
  byId("yb-picker").classList.add("yb-on");
  byId("yb-place-name").value = "";
  offer();
  byId("yb-place-name").focus();
  if (names) return;
  try {
    const answer = await fetch("/places.json");
    if (!answer.ok) throw new Error(String(answer.status));
    names = await answer.json();
    offer();
  } catch {
    byId("yb-places").replaceChildren(line("取不到地名，请稍后再试，或者把地名写在问题里。"));
  }
}

function closePicker() {
  byId("yb-picker").classList.remove("yb-on");
  document.querySelector("#yb-slots .yb-choose-place")?.focus();
}

function choose(name) {
  window.ybKept.set("places", JSON.stringify([name, ...recent().filter((other) => other !== name)].slice(0, RECENT)));
  takeAway("region");
  fill("yb-region", name);
  byId("yb-picker").classList.remove("yb-on");
  showChips();
  document.querySelector("#yb-question textarea")?.focus();
  // The place was asked for: the question is asked again by itself.
  if (forAnswer) document.dispatchEvent(new CustomEvent("yb-place-told"));
}

function takeAway(slot) {
  const gone = new Set((field("yb-forget")?.value ?? "").split(" ").filter(Boolean));
  fill("yb-forget", [...gone.add(slot)].join(" "));
  if (slot === "region") fill("yb-region", "");
  document.querySelector(`#yb-slots .yb-slot-${slot}`)?.remove();
}

// The chosen place as a chip; what earlier messages told is there already.
export function showChips() {
  const chips = document.querySelector("#yb-slots .yb-chips");
  if (!chips) return;
  const chosen = field("yb-region")?.value ?? "";
  if (chosen && !chips.querySelector(".yb-slot-region")) {
    chips.prepend(button(`参保地：${chosen}`, "yb-chip yb-slot-region"));
  }
  for (const one of chips.querySelectorAll(".yb-chip")) {
    const label = `去掉${one.textContent}`;
    if (one.getAttribute("aria-label") !== label) one.setAttribute("aria-label", label);
  }
}

document.addEventListener("click", (event) => {
  const target = event.target instanceof Element ? event.target.closest("button") : null;
  if (!target) return;
  if (target.matches(".yb-choose-place")) openPicker(target);
  else if (target.matches("#yb-place-done")) closePicker();
  else if (target.matches(".yb-place")) choose(target.textContent);
  else if (target.matches(".yb-forget-places")) {
    window.ybKept.set("places", "[]");
    offer();
    byId("yb-place-name").focus();
  } else if (target.matches(".yb-chip")) {
    takeAway([...target.classList].find((css) => css.startsWith("yb-slot-")).slice("yb-slot-".length));
    showChips();
    (document.querySelector("#yb-slots .yb-chip") ?? document.querySelector("#yb-slots .yb-choose-place"))?.focus();
  }
});

document.addEventListener("input", (event) => {
  if (event.target === byId("yb-place-name") && !event.isComposing) offer();
});
document.addEventListener("compositionend", (event) => {
  if (event.target === byId("yb-place-name")) offer();
});
document.addEventListener("keydown", (event) => {
  if (!byId("yb-picker")?.contains(event.target)) return;
  if (event.key === "Escape") closePicker();
  else if (event.key === "Enter" && !event.isComposing && event.target === byId("yb-place-name")) {
    event.preventDefault();
    document.querySelector("#yb-places .yb-place")?.click();
  }
});
