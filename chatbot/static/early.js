// Runs before anything is drawn. Gradio picks its language from the browser's and knows Chinese only as
// exactly "zh-CN"; this page is Chinese for everybody. Then the look that the citizen chose on this device.
"use strict";
Object.defineProperty(navigator, "language", { get: () => "zh-CN", configurable: true });
Object.defineProperty(navigator, "languages", { get: () => ["zh-CN"], configurable: true });

// What is kept on the device; storage may be switched off, then nothing is.
window.ybKept = {
  get(name) {
    try {
      return localStorage.getItem(`yb-${name}`);
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(`yb-${name}`, value);
    } catch {
      // It holds for this visit.
    }
  },
};

// The chosen look as classes of the root element: print size, contrast, dark or light.
window.ybLook = () => {
  const chosen = (name, query) => window.ybKept.get(name) ?? (matchMedia(query).matches ? "1" : "0");
  const { classList } = document.documentElement;
  const size = window.ybKept.get("size");
  classList.toggle("yb-big", size === "1");
  classList.toggle("yb-huge", size === "2");
  classList.toggle("yb-contrast", chosen("contrast", "(prefers-contrast: more)") === "1");
  classList.toggle("yb-dark", chosen("dark", "(prefers-color-scheme: dark)") === "1");
};
window.ybLook();
