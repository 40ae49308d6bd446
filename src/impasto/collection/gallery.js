"use strict";

// The wall: all pictures of the collection, as a matrix or a list, filtered and sorted.

const element = (id) => document.getElementById(id);
const wall = element("wall"), filter = element("filter"), zoom = element("zoom");
const sort = element("sort"), reverse = element("reverse");
const DATA = document.querySelector("script[src]").src;
const REFRESH = 5000; // ms between looks at the data, while there is something to come
const SELDOM = 30_000; // ms between them while there is not: another run may begin
const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

let pictures = new Map(); // by address
let lines = []; // the pictures on the wall, row by row, with gaps in the matrix
let current; // the one that Tab leads to
let looked = Date.now(); // when the data was asked for

function make(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// Data

function picturesOf(data) {
  return data.entries.map((entry) => {
    const { styles, variant } = data.columns[entry.column];
    const photo = data.inputs[data.rows[entry.row]];
    const with_ = styles.map((number) => data.inputs[number]);
    const found = { state: "done", address: entry.name, ...entry, photo, styles: with_ };
    found.subject = [photo.label, styleLabel(with_)].join(" × ");
    found.title = found.subject + (variant && `, ${variant}`);
    const state = found.state === "done" ? "painted" : found.state;
    found.text = [found.title, found.name, found.note ?? "", state].join("\n").toLowerCase();
    const [names, ...values] = entry.losses ?? [];
    found.losses = {};
    values.forEach((value, number) => (found.losses[data.losses[names][number]] = value));
    ({ content: found.content, total: found.total } = found.losses);
    if (entry.losses) found.style = sum(values.filter((_, n) => data.losses[names][n].startsWith("style/")));
    return found;
  });
}

const sum = (values) => values.reduce((all, value) => all + value, 0);
const styleLabel = (styles) => styles.map((style) => style.label).join(" + ");
const digits = (number) => (number == null ? "not finite" : Number(number.toPrecision(3)).toString());
const span = (seconds) => (seconds < 90 ? `${digits(seconds)} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`);

// What the subject does not say.
function brief(picture) {
  if (picture.state !== "done") return [picture.note, picture.state].filter(Boolean).join(" · ");
  const parts = [picture.note, `loss ${digits(picture.total)}`, picture.seconds && span(picture.seconds)];
  return parts.filter(Boolean).join(" · ");
}

// Rows and columns

function wanted() {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  return [...pictures.values()].filter(({ text }) => words.every((word) => text.includes(word)));
}

function ordered(groups, label) {
  const ways = { planned: (_, number) => number, name: label };
  const mean = (group) => {
    const values = group.map((picture) => picture[sort.value]).filter(Number.isFinite);
    return values.length ? sum(values) / values.length : undefined;
  };
  const keyed = groups.map((group, number) => [(ways[sort.value] ?? mean)(group, number), group]);
  const sign = reverse.ariaPressed === "true" ? -1 : 1;
  // What has no value comes last both ways.
  keyed.sort(([a], [b]) =>
    a === undefined || b === undefined ? (a === undefined) - (b === undefined)
      : sign * (typeof a === "string" ? collator.compare(a, b) : a - b));
  return keyed.map(([, group]) => group);
}

function grouped(chosen, key) {
  const groups = new Map();
  for (const picture of chosen) groups.set(picture[key], [...(groups.get(picture[key]) ?? []), picture]);
  return [...groups.entries()].sort(([a], [b]) => a - b).map(([, group]) => group);
}

// Files

// Browsers keep what they have loaded, though another picture may lie there since.
const file = ({ address, version = "" }) => `${address}?${version}`;
const thumbnail = ({ address, version = "" }) => `thumbnails/${address}.webp?${version}`;

// Cells

function cell(picture) {
  if (picture.cell) return picture.cell;
  const { state, address, subject } = picture;
  const made = make("a", { className: `cell ${state.replace(" ", "-")}`, href: `#${address}`, tabIndex: -1 });
  made.title = [subject, brief(picture), picture.reason].filter(Boolean).join("\n");
  made.ariaLabel = [subject, brief(picture)].join(", ");
  if (state === "done") {
    const image = make("img", { alt: "", loading: "lazy", decoding: "async" });
    image.addEventListener("error", () => image.remove());
    image.src = picture.thumbnail ? thumbnail(picture) : file(picture);
    made.append(image);
  } else if (state === "failed") made.append(make("span", { textContent: "failed" }));
  made.addEventListener("focus", () => choose(picture));
  return (picture.cell = made);
}

function head(role, inputs, variant) {
  const made = make("div", { className: "head", role });
  for (const input of inputs)
    made.append(input.thumbnail ? make("img", { src: input.thumbnail, alt: "" }) : make("i"));
  const label = styleLabel(inputs);
  made.append(make("span", { textContent: label, title: label }));
  if (variant) made.append(make("span", { className: "note", textContent: variant, title: variant }));
  return made;
}

function shape(group) {
  const sized = group.find((picture) => picture.size);
  // Strips that are longer than this would be no rows.
  return sized ? Math.min(2, Math.max(0.25, sized.size[1] / sized.size[0])) : 0.75;
}

function row(group, columns) {
  const line = [];
  for (const picture of group) line[columns.get(picture.column)] = picture;
  const made = make("div", { className: "row", role: "row" }, head("rowheader", [group[0].photo]));
  made.style.setProperty("--shape", shape(group));
  for (let number = 0; number < columns.size; number++) {
    const place = make("div", { role: "gridcell" });
    if (line[number]) place.append(cell(line[number]));
    made.append(place);
  }
  return [line, made];
}

function showMatrix(chosen) {
  const across = ordered(grouped(chosen, "column"), ([{ styles }]) => styleLabel(styles));
  const down = ordered(grouped(chosen, "row"), ([{ photo }]) => photo.label);
  const columns = new Map(across.map((group, number) => [group[0].column, number]));
  const corner = make("div", { className: "head", role: "columnheader", ariaLabel: "Photo" });
  const heads = across.map(([{ styles, column }]) =>
    head("columnheader", styles, globalThis.collection.columns[column].variant));
  const rows = down.map((group) => row(group, columns));
  lines = rows.map(([line]) => line);
  const made = make("div", { id: "matrix", role: "grid", ariaLabel: "Photos down, styles across" });
  made.append(make("div", { className: "row heads", role: "row" }, corner, ...heads));
  made.append(...rows.map(([, line]) => line));
  made.style.setProperty("--columns", columns.size);
  wall.replaceChildren(made);
}

function showList(chosen) {
  const singles = ordered(chosen.map((picture) => [picture]), ([{ title }]) => title).flat();
  lines = [singles];
  const items = singles.map((picture) => {
    const title = make("span", { textContent: picture.subject, title: picture.subject });
    const note = make("span", { className: "note", textContent: brief(picture), title: brief(picture) });
    const item = make("li", {}, cell(picture), title, note);
    item.style.setProperty("--shape", shape([picture]));
    return item;
  });
  wall.replaceChildren(make("ul", { id: "list" }, ...items));
}

function show() {
  const chosen = wanted();
  const view = document.querySelector("[name=view]:checked").value;
  (view === "matrix" ? showMatrix : showList)(chosen);
  if (!chosen.length) wall.replaceChildren(make("p", { className: "note", textContent: "Nothing here has these words." }));
  choose(chosen.includes(current) ? current : lines.flat().find(Boolean));
  element("summary").textContent = summary(chosen);
}

function summary(chosen) {
  const { rows, columns } = globalThis.collection;
  const styles = new Set(columns.map((column) => String(column.styles)));
  const count = (state) => [...pictures.values()].filter((picture) => picture.state === state).length;
  const many = (number, word) => `${number.toLocaleString("en")} ${word}${number === 1 ? "" : "s"}`;
  const parts = [`${many(rows.length, "photo")} × ${many(styles.size, "style")}`, `${count("done").toLocaleString("en")} painted`];
  for (const state of ["failed", "to come"]) if (count(state)) parts.push(`${count(state).toLocaleString("en")} ${state}`);
  if (chosen.length < pictures.size) parts.push(`${chosen.length.toLocaleString("en")} shown`);
  return parts.join(" · ");
}

// Moving about

function choose(picture) {
  current?.cell?.setAttribute("tabindex", -1);
  current = picture;
  if (picture) cell(picture).tabIndex = 0;
}

// The picture that a key leads to; where the row has a gap, what lies behind it. From one that is
// not on the wall, as the filter leaves it out, all keys lead back to the wall.
function neighbour(picture, key, far = false) {
  let y = lines.findIndex((line) => line.includes(picture));
  if (y < 0) return current;
  if (key === "Home" || key === "End") {
    const line = (far ? lines.flat() : lines[y]).filter(Boolean);
    return line.at(key === "Home" ? 0 : -1);
  }
  const step = key === "ArrowLeft" || key === "ArrowUp" ? -1 : 1;
  const upright = key === "ArrowUp" || key === "ArrowDown";
  if (upright && element("list")) return nearest(picture, step);
  let x = lines[y].indexOf(picture);
  do upright ? (y += step) : (x += step);
  while (lines[y] && x >= 0 && x < Math.max(...lines.map((line) => line.length)) && !lines[y][x]);
  return lines[y]?.[x];
}

// In the list, the picture of the next line that is closest.
function nearest(picture, step) {
  const place = ({ cell }) => [cell.parentElement.offsetTop, cell.offsetLeft + cell.offsetWidth / 2];
  const [top, middle] = place(picture);
  const all = lines[0].map((other) => [other, ...place(other)]);
  const tops = all.map(([, y]) => y).filter((y) => Math.sign(y - top) === step);
  const next = step > 0 ? Math.min(...tops) : Math.max(...tops);
  const line = all.filter(([, y]) => y === next);
  return line.sort(([, , a], [, , b]) => Math.abs(a - middle) - Math.abs(b - middle))[0]?.[0];
}

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]") || event.altKey || event.metaKey) return;
  if (event.target === filter) {
    if (event.key === "Escape" && filter.value) {
      event.preventDefault();
      filter.value = "";
      show();
    } else if ((event.key === "Enter" || event.key === "ArrowDown") && current) {
      event.preventDefault();
      current.cell.focus();
    }
    return;
  }
  if (event.key === "/" || event.key === "?") {
    event.preventDefault();
    event.key === "/" ? filter.focus() : element("keys").showModal();
  } else if (!event.ctrlKey && (event.key === "+" || event.key === "-")) {
    resize(zoom.value * (event.key === "+" ? 1.25 : 0.8));
  } else if (event.target.matches(".cell") && /^(Arrow|Home$|End$)/.test(event.key)) {
    event.preventDefault();
    neighbour(current, event.key, event.ctrlKey)?.cell.focus();
  }
});

function resize(size) {
  zoom.value = size;
  wall.style.setProperty("--cell", `${zoom.value}px`);
  wall.classList.toggle("small", zoom.value < 88);
}

// Beginning, and going on

function read() {
  const before = pictures;
  pictures = new Map(picturesOf(globalThis.collection).map((picture) => [picture.address, picture]));
  for (const [address, picture] of pictures) {
    const old = before.get(address);
    if (old === current) current = picture;
    // What is loaded stays.
    if (old?.cell && isSame(old, picture)) adopt(picture, old);
  }
  document.title = element("title").textContent = globalThis.collection.title;
}

const isSame = (one, other) => ["state", "thumbnail", "version", "reason", "note"].every((name) => one[name] === other[name]);

function adopt(picture, old) {
  const fresh = cell(picture), image = old.cell.querySelector("img");
  if (image) fresh.querySelector("img").replaceWith(image);
}

function refreshInTime() {
  const waits = [...pictures.values()].some(({ state }) => state === "to come");
  if (!document.hidden && (waits || Date.now() - looked >= SELDOM)) refresh();
}

function refresh() {
  looked = Date.now();
  const before = JSON.stringify(globalThis.collection);
  const script = make("script", { src: `${DATA}?${Date.now()}` });
  script.addEventListener("load", () => {
    script.remove();
    if (JSON.stringify(globalThis.collection) === before) return;
    const focused = document.activeElement === current?.cell;
    const [left, top] = [wall.scrollLeft, wall.scrollTop];
    read();
    show();
    wall.scrollTo(left, top);
    if (focused) current?.cell.focus({ preventScroll: true });
    renew();
  });
  script.addEventListener("error", () => script.remove());
  document.head.append(script);
}

function begin() {
  read();
  const columns = Math.max(1, globalThis.collection.columns.length);
  resize(Math.min(240, Math.max(96, (0.85 * wall.clientWidth) / (columns + 1))));
  filter.addEventListener("input", show);
  sort.addEventListener("change", show);
  element("views").addEventListener("change", show);
  zoom.addEventListener("input", () => resize(zoom.value));
  element("help").addEventListener("click", () => element("keys").showModal());
  element("controls").addEventListener("submit", (event) => event.preventDefault());
  reverse.addEventListener("click", () => {
    reverse.ariaPressed = reverse.ariaPressed !== "true";
    reverse.textContent = reverse.ariaPressed === "true" ? "↓" : "↑";
    show();
  });
  show();
  setInterval(refreshInTime, REFRESH);
  document.addEventListener("visibilitychange", () => document.hidden || refresh());
}
