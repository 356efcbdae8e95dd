// Print size, contrast, dark or light: buttons on every page, the choice kept on the device.
const root = document.documentElement;
const SIZES = ["大字", "特大字", "标准字"]; // what pressing the button brings, by the present size

function sizeNow() {
  return root.classList.contains("yb-huge") ? 2 : root.classList.contains("yb-big") ? 1 : 0;
}

export function showLook() {
  for (const button of document.querySelectorAll(".yb-size")) {
    const words = SIZES[sizeNow()];
    if (button.textContent !== words) button.textContent = words;
  }
  for (const name of ["contrast", "dark"]) {
    const pressed = String(root.classList.contains(`yb-${name}`));
    document.querySelectorAll(`button.yb-${name}`).forEach((button) => {
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
    });
  }
  // Gradio's own colours follow this class, which it sets by the system alone.
  document.body.classList.toggle("dark", root.classList.contains("yb-dark"));
}

function change(name, value) {
  window.ybKept.set(name, String(value));
  if (window.ybKept.get(name) === null) switchWithoutStorage(name, value);
  else window.ybLook();
  showLook();
}

function switchWithoutStorage(name, value) {
  if (name !== "size") root.classList.toggle(`yb-${name}`, value === 1);
  else ["yb-big", "yb-huge"].forEach((css, n) => root.classList.toggle(css, value === n + 1));
}

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("button") : null;
  if (!button) return;
  if (button.matches(".yb-size")) change("size", (sizeNow() + 1) % SIZES.length);
  for (const name of ["contrast", "dark"]) {
    if (button.matches(`.yb-${name}`)) change(name, root.classList.contains(`yb-${name}`) ? 0 : 1);
  }
  if (button.matches(".yb-print-page")) window.print();
});
for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) {
  matchMedia(query).addEventListener("change", () => {
    window.ybLook();
    showLook();
  });
}
const watching = new MutationObserver(showLook);
for (const part of [root, document.body]) watching.observe(part, { attributes: true, attributeFilter: ["class"] });
showLook();
