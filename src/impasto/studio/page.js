"use strict";

const element = (id) => document.getElementById(id);
const viewer = element("viewer"), stage = element("stage"), wipe = element("wipe");
const left = element("left"), right = element("right");
const view = element("view"), actual = element("actual");
const buttons = [...document.querySelectorAll("button.cell")];
const pictures = buttons.map((button) => button.querySelector("img"));

for (const select of [left, right]) {
  pictures.forEach((picture, number) => select.add(new Option(picture.alt, number)));
  select.addEventListener("change", show);
}

function show() {
  const [over, under] = [pictures[left.value], pictures[right.value]];
  element("over").src = over.src;
  element("over").alt = over.alt;
  element("under").src = under.src;
  element("under").alt = under.alt;
  stage.style.setProperty("--wide", under.naturalWidth);
  stage.style.setProperty("--high", under.naturalHeight);
  place(wipe.value);
}

function place(percent) {
  wipe.value = percent;
  stage.style.setProperty("--wiped", wipe.value);
  const share = Math.round(wipe.value);
  const names = [pictures[left.value].alt, pictures[right.value].alt];
  const text = { 0: names[1], 100: names[0] }[share] ?? names.join(" | ");
  wipe.setAttribute("aria-valuetext", `${share} % ${names[0]}`);
  if (element("shown").textContent !== text) element("shown").textContent = text;
}

buttons.forEach((button, number) =>
  button.addEventListener("click", () => {
    right.value = number;
    left.value = number === 0 ? pictures.length - 1 : 0;
    wipe.value = 0;
    viewer.showModal();
    const { naturalWidth: wide, naturalHeight: high } = pictures[number];
    scale(wide <= view.clientWidth && high <= view.clientHeight);
    show();
    wipe.focus();
  }),
);

// Pictures open pixel for pixel where they fit; else, and when asked to, they fill the window.
function scale(one) {
  actual.checked = one;
  view.classList.toggle("actual", one);
}

actual.addEventListener("change", () => scale(actual.checked));

element("swap").addEventListener("click", () => {
  [left.value, right.value] = [right.value, left.value];
  show();
});

wipe.addEventListener("input", () => place(wipe.value));

// Arrow keys of a slider without steps move it by 1 %, as those of one with steps do.
wipe.addEventListener("keydown", (event) => {
  const move = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 }[event.key];
  if (move === undefined) return;
  event.preventDefault();
  place(Number(wipe.value) + move);
});

function drag(event) {
  if (event.type === "pointermove" && !stage.hasPointerCapture(event.pointerId)) return;
  stage.setPointerCapture(event.pointerId);
  const box = stage.getBoundingClientRect();
  place((100 * (event.clientX - box.left)) / box.width);
}

stage.addEventListener("pointerdown", drag);
stage.addEventListener("pointermove", drag);
