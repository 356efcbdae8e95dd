// Runs before Gradio's bundle. Gradio picks its language from the browser's and knows Chinese only as
// exactly "zh-CN"; this page is Chinese for everybody.
"use strict";
Object.defineProperty(navigator, "language", { get: () => "zh-CN", configurable: true });
Object.defineProperty(navigator, "languages", { get: () => ["zh-CN"], configurable: true });
try {
  if (localStorage.getItem("yb-big") === "1") document.documentElement.classList.add("yb-big");
} catch {
  // Storage is switched off: the page starts in normal print.
}
