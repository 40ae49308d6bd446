// A picture at full size, with how it was made.

const viewer = element("viewer"), stage = element("stage"), canvas = element("canvas");
const full = element("full"), preview = element("preview");
const SCALES = [0.125, 0.25, 0.5, 1, 2, 4, 8];
const FIT_AT_MOST = 2; // small pictures are enlarged, but not to mush
let opened; // the picture
let scale; // CSS px for each of its own; undefined for the whole picture in the window

function open(picture) {
  const first = !viewer.open;
  opened = picture;
  if (first) {
    viewer.showModal();
    setDetails(viewer.clientWidth > 1000);
  }
  viewer.className = picture.state.replace(" ", "-");
  element("name").textContent = picture.title;
  full.hidden = true;
  preview.hidden = !picture.thumbnail;
  full.alt = picture.title;
  element("fault").textContent = picture.state === "failed" ? picture.reason : picture.state === "done" ? "" : "Not painted yet.";
  if (picture.state === "done") {
    preview.src = picture.thumbnail ? thumbnail(picture) : "data:,";
    full.src = file(picture);
  } else full.removeAttribute("src");
  showBeside(picture);
  showDetails(picture);
  showMoves();
  fit();
  if (first) stage.focus();
}

function showMoves() {
  for (const button of element("moves").children) button.disabled = !neighbour(opened, button.dataset.key);
}

// After new data: what is open is shown as it is now.
function renew() {
  if (!viewer.open) return;
  const before = opened;
  opened = pictures.get(before.address);
  if (!opened) viewer.close();
  else if (isSame(opened, before)) showMoves();
  else open(opened);
}

// What is in the address bar is open; going back closes it.
function follow() {
  const picture = pictures.get(location.hash.slice(1));
  if (picture) open(picture);
  else if (viewer.open) viewer.close();
}

function go(picture) {
  if (!picture) return;
  history.replaceState(null, "", `#${picture.address}`);
  choose(picture);
  open(picture);
}

viewer.addEventListener("close", () => {
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  full.removeAttribute("src");
  (opened?.cell?.isConnected ? opened : current)?.cell.focus();
});

full.addEventListener("load", () => {
  full.hidden = false;
  for (const button of element("moves").children) {
    const next = neighbour(opened, button.dataset.key);
    if (next?.state === "done") new Image().src = file(next);
  }
});

full.addEventListener("error", () => {
  if (opened?.state !== "done" || !full.getAttribute("src")) return;
  element("fault").textContent = `${opened.name} cannot be shown here${opened.thumbnail ? "; this is its thumbnail" : ""}.`;
});

// Size on the screen

function fit() {
  const [wide, high] = opened.size ?? [320, 240];
  const room = Math.min(stage.clientWidth / wide, stage.clientHeight / high);
  const used = scale ?? Math.min(room, FIT_AT_MOST);
  canvas.style.width = `${Math.round(wide * used)}px`;
  canvas.style.height = `${Math.round(high * used)}px`;
  canvas.hidden = opened.state !== "done";
  canvas.classList.toggle("coarse", used >= 3);
  stage.classList.toggle("whole", scale === undefined);
  element("scale").textContent = canvas.hidden ? "–" : `${Math.round(100 * used)} %`;
  return used;
}

function setScale(wanted) {
  const { scrollLeft, scrollTop, scrollWidth, scrollHeight, clientWidth, clientHeight } = stage;
  const middle = [(scrollLeft + clientWidth / 2) / scrollWidth, (scrollTop + clientHeight / 2) / scrollHeight];
  scale = wanted;
  fit();
  stage.scrollLeft = middle[0] * stage.scrollWidth - clientWidth / 2;
  stage.scrollTop = middle[1] * stage.scrollHeight - clientHeight / 2;
}

function larger() {
  const used = fit();
  setScale(SCALES.find((step) => step > used * 1.01) ?? used);
}

function smaller() {
  const used = fit();
  setScale(SCALES.findLast((step) => step < used * 0.99) ?? used);
}

new ResizeObserver(() => viewer.open && fit()).observe(stage);

stage.addEventListener("pointerdown", (event) => {
  if (event.pointerType === "mouse" && event.button === 0) stage.setPointerCapture(event.pointerId);
});
stage.addEventListener("pointermove", (event) => {
  if (stage.hasPointerCapture(event.pointerId) && event.pointerType === "mouse") stage.scrollBy(-event.movementX, -event.movementY);
});

// A finger that wipes over the whole picture goes to the next one.
let touched;
stage.addEventListener("touchstart", (event) => (touched = event.touches.length === 1 && event.touches[0]));
stage.addEventListener("touchend", (event) => {
  if (!touched || scale !== undefined || event.touches.length) return;
  const [end] = event.changedTouches;
  const [x, y] = [end.clientX - touched.clientX, end.clientY - touched.clientY];
  if (Math.max(Math.abs(x), Math.abs(y)) < 50) return;
  const key = Math.abs(x) > Math.abs(y) ? (x < 0 ? "ArrowRight" : "ArrowLeft") : y < 0 ? "ArrowDown" : "ArrowUp";
  go(neighbour(opened, key));
});

// What is beside it

function showBeside(picture) {
  const figure = (input, note) => {
    const label = make("figcaption", {}, make("span", { textContent: input.label }), make("span", { className: "note", textContent: note }));
    return make("figure", {}, input.thumbnail ? make("img", { src: input.thumbnail, alt: input.label }) : make("i"), label);
  };
  const styles = picture.styles.map((style, number) => figure(style, `style, beta ${picture.betas[number]}`));
  element("beside").replaceChildren(figure(picture.photo, "photo"), ...styles);
}

function setDetails(on) {
  element("details").hidden = !on;
  element("more").ariaPressed = on;
}

function setBeside(on) {
  element("beside").hidden = !on;
  element("compare").ariaPressed = on;
}

function showDetails(picture) {
  const { bytes, size, seconds, losses } = picture;
  const facts = { State: picture.state !== "done" && picture.state, File: picture.name };
  facts.Size = size && `${size[0]} × ${size[1]} px`;
  facts.Loss = "total" in losses && `${digits(picture.total)} = content ${digits(picture.content)} + style ${digits(picture.style)}`;
  facts.Time = seconds && span(seconds);
  facts.Bytes = bytes && (bytes < 1e6 ? `${digits(bytes / 1e3)} kB` : `${digits(bytes / 1e6)} MB`);
  facts.Settings = picture.note;
  const known = Object.entries(facts).filter(([, fact]) => fact);
  element("facts").replaceChildren(...known.flatMap(([name, fact]) => [make("dt", { textContent: name }), make("dd", { textContent: fact })]));
  element("command").textContent = command(picture);
  element("replay").textContent = replay(picture);
  element("recipe").textContent = picture.state === "done" ? JSON.stringify(recipe(picture), null, 2) : "";
  element("again").hidden = element("made").hidden = picture.state !== "done";
  element("copied").textContent = "";
}

// As a POSIX shell takes a word for what it is.
const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`);
// What begins with a hyphen would be taken for an option.
const word = (path) => (path.startsWith("-") ? `./${path}` : path);

function command({ photo, styles, betas, options, name }) {
  const named = styles.flatMap((style, number) => ["--style", `${word(style.path)}=${betas[number]}`]);
  const words = ["impasto", "paint", word(photo.path), ...named, ...globalThis.collection.options[options]];
  return [...words, "-o", word(name.split("/").at(-1))].map(quoted).join(" ");
}

function replay({ name }) {
  const { folder } = globalThis.collection;
  const ending = name.slice(name.lastIndexOf("."));
  return ["impasto", "replay", word(folder === "." ? name : `${folder}/${name}`), "-o", `again${ending}`].map(quoted).join(" ");
}

function recipe({ photo, styles, betas, own = {}, losses }) {
  const shared = globalThis.collection.recipe;
  const input = ({ path, sha256 }) => ({ path, sha256 });
  const materials = { photo: input(photo), styles: styles.map((style, number) => ({ ...input(style), beta: betas[number] })) };
  const settings = { ...shared.settings, ...own.settings };
  return { ...shared, ...materials, losses, ...own, settings, output: { ...shared.output, ...own.output } };
}

// Where the clipboard cannot be had, as on some pages from the disk, the text is selected.
async function copy(button) {
  const text = element(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(text.textContent);
    element("copied").textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(text);
    element("copied").textContent = "Selected: copy it with Ctrl+C.";
  }
}

// Keys and buttons do the same.
function press(key) {
  const does = {
    "+": larger,
    "-": smaller,
    0: () => setScale(undefined),
    1: () => setScale(1),
    b: () => setBeside(element("beside").hidden),
    i: () => setDetails(element("details").hidden),
    "?": () => element("keys").showModal(),
  }[key];
  if (does) does();
  else if (/^(Arrow|Home$|End$)/.test(key)) go(neighbour(opened, key));
  else return false;
  return true;
}

// By a tenth of what is seen.
function pan(key) {
  const [x, y] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  stage.scrollBy((x * stage.clientWidth) / 10, (y * stage.clientHeight) / 10);
}

viewer.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const arrow = event.key.startsWith("Arrow");
  if (event.target.closest("#details") && (arrow || /^(Home|End)$/.test(event.key))) return; // scrolls it
  if (event.shiftKey && arrow) pan(event.key);
  else if (!press(event.key)) return;
  event.preventDefault();
});

viewer.addEventListener("click", ({ target }) => {
  if (target.dataset.key) press(target.dataset.key);
  if (target.dataset.copy) copy(target);
  if (target.id === "scale") setScale(scale === undefined ? 1 : undefined);
  if (target.id === "close") viewer.close();
});

addEventListener("hashchange", follow);

if (globalThis.collection) {
  begin();
  follow();
} else element("summary").textContent = "gallery-data.js is missing: it belongs beside this page.";
