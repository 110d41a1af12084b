"use strict";
// What attended to what: records are at the end of the page, decoded when they are asked for.
const $ = id => document.getElementById(id);
const records = JSON.parse($("records").textContent);
const views = ["words", "map", "lines", "heads", "picture"];
const state = { record: 0, layer: 0, head: 0, view: "words", query: 0, pinned: false };
const cache = new Map();

// ---- Numbers

function bytesOf(text) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; ++i) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

function numbersOf(r) {
  if (!r.decoded) {
    const view = new DataView(bytesOf(r.weights).buffer);
    r.decoded = new Uint16Array(view.byteLength / 2);
    for (let i = 0; i < r.decoded.length; ++i) r.decoded[i] = view.getUint16(2 * i, true);
  }
  return r.decoded;
}

/// The weights of a head as { values, most }; head r.heads is the mean of all.
function matrixOf(r, layer, head) {
  const key = `${r.name} ${layer} ${head}`;
  if (cache.has(key)) return cache.get(key);
  const size = r.queries.count * r.keys.count, values = new Float32Array(size), all = numbersOf(r);
  const chosen = head < r.heads ? [head] : [...Array(r.heads).keys()];
  for (const h of chosen) {
    const from = (layer * r.heads + h) * size, factor = r.largest[layer * r.heads + h] / 65535 / chosen.length;
    for (let i = 0; i < size; ++i) values[i] += all[from + i] * factor;
  }
  let most = 0;
  for (let i = 0; i < size; ++i) if (values[i] > most) most = values[i];
  if (cache.size > 400) cache.clear();
  const found = { values, most };
  cache.set(key, found);
  return found;
}

const record = () => records[state.record];
const matrix = () => matrixOf(record(), state.layer, state.head);
const turned = () => $("back").checked;
// The side from which one looks, and the side that is looked at.
const asking = () => turned() ? record().keys : record().queries;
const asked = () => turned() ? record().queries : record().keys;
const weight = (from, to) => {
  const keys = record().keys.count;
  return matrix().values[turned() ? to * keys + from : from * keys + to];
};
const itself = r => r.queries.kind === "tokens" && r.keys.kind === "tokens" && r.queries.labels.join("\n") === r.keys.labels.join("\n");

function label(side, i) {
  if (side.labels) return side.labels[i];
  if (side.grid) return `row ${Math.floor(i / side.grid[1]) + 1}, column ${i % side.grid[1] + 1}`;
  return String(i + 1);
}
const shown = text => text === "" ? "␣" : text;
const number = w => w === 0 ? "0" : w >= 0.0995 ? w.toFixed(2) : w >= 0.00095 ? w.toFixed(3) : w.toExponential(0);

// ---- Colours: cividis (Nuñez, Anderton and Renslow 2018), as in the other figures

const stops = [[0, 34, 78], [18, 53, 112], [59, 73, 108], [87, 93, 109], [112, 113, 115], [138, 134, 120], [165, 156, 116], [195, 179, 105], [225, 204, 85], [254, 232, 56]];
function cividis(share) {
  const x = Math.min(1, Math.max(0, share)) * (stops.length - 1), at = Math.min(stops.length - 2, Math.floor(x));
  return stops[at].map((low, c) => Math.round(low + (stops[at + 1][c] - low) * (x - at)));
}
const table = new Uint32Array(256);
for (let i = 0; i < 256; ++i) {
  const [r, g, b] = cividis(i / 255);
  table[i] = 255 << 24 | b << 16 | g << 8 | r;
}
const share = (w, most) => most > 0 ? ($("root").checked ? Math.sqrt(w / most) : w / most) : 0;
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
function dark() {
  const theme = document.documentElement.dataset.theme;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}
/// Ground and letters of a word with this share of the largest weight.
function ground(s) {
  const from = dark() ? [20, 23, 26] : [255, 255, 255], to = dark() ? [255, 210, 74] : [10, 74, 138];
  const mixed = from.map((low, c) => Math.round(low + (to[c] - low) * s));
  const light = (0.299 * mixed[0] + 0.587 * mixed[1] + 0.114 * mixed[2]) / 255;
  return [`rgb(${mixed})`, light > 0.55 ? "#000" : "#fff"];
}

// ---- Canvases

function canvasOf(width, height) {
  const canvas = document.createElement("canvas"), scale = Math.min(2, devicePixelRatio || 1);
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext("2d");
  context.scale(canvas.width / width, canvas.height / height);
  return [canvas, context];
}

/// The whole map, a pixel a cell.
function pixelsOf(r, layer, head) {
  const { values, most } = matrixOf(r, layer, head), canvas = document.createElement("canvas");
  canvas.width = r.keys.count;
  canvas.height = r.queries.count;
  const context = canvas.getContext("2d"), image = context.createImageData(canvas.width, canvas.height);
  const out = new Uint32Array(image.data.buffer);
  for (let i = 0; i < values.length; ++i) out[i] = table[Math.round(255 * Math.min(1, share(values[i], most)))];
  context.putImageData(image, 0, 0);
  return canvas;
}

function fitted(context, text, width) {
  text = shown(text);
  if (context.measureText(text).width <= width) return text;
  while (text.length > 1 && context.measureText(text + "…").width > width) text = text.slice(0, -1);
  return text + "…";
}

/// A scrolling part of the page in which only what is seen is drawn: draw(context, x, y, width, height) is given the
/// corner and the size of what is seen; over(x, y) where the mouse is.
function scroller(width, height, draw, over) {
  const outer = document.createElement("div"), inner = document.createElement("div");
  outer.className = "scroll";
  outer.tabIndex = 0;
  outer.style.height = `min(${height + 20}px, 76vh)`;
  inner.style.cssText = `position:absolute;top:0;left:0;width:${width}px;height:${height}px;pointer-events:none`;
  outer.append(inner);
  $("stage").replaceChildren(outer);
  let canvas = null;
  const redraw = () => {
    const [fresh, context] = canvasOf(outer.clientWidth, outer.clientHeight);
    context.fillStyle = css("--ground");
    context.fillRect(0, 0, outer.clientWidth, outer.clientHeight);
    draw(context, outer.scrollLeft, outer.scrollTop, outer.clientWidth, outer.clientHeight);
    if (canvas) canvas.replaceWith(fresh); else outer.prepend(fresh);
    canvas = fresh;
  };
  outer.onscroll = redraw;
  const at = event => {
    const box = outer.getBoundingClientRect();
    return [event.clientX - box.left + outer.scrollLeft, event.clientY - box.top + outer.scrollTop];
  };
  outer.onmousemove = event => over(...at(event), false);
  outer.onclick = event => over(...at(event), true);
  redraw();
  return redraw;
}

// ---- Views: each draws the stage and gives a function that draws it anew when the selection has moved

const cellChosen = () => Number($("size").value);

function mapLayout() {
  const r = record(), rows = r.queries.count, columns = r.keys.count;
  const room = $("stage").clientWidth || 1100;
  let cell = cellChosen() || Math.max(1, Math.min(28, Math.floor(Math.min((room - 140) / columns, 640 / rows))));
  // Maps of a single row would be a line.
  const named = cell >= 10, margin = named ? 120 : 8;
  return { r, rows, columns, cell, named, left: margin, top: named ? 100 : 8 };
}

function drawMap(context, layout, x, y, width, height) {
  const { r, rows, columns, cell, named, left, top } = layout;
  const image = pixelsOf(r, state.layer, state.head);
  const first = Math.max(0, Math.floor((x - left) / cell)), above = Math.max(0, Math.floor((y - top) / cell));
  const last = Math.min(columns, Math.ceil((x + width - left) / cell)), below = Math.min(rows, Math.ceil((y + height - top) / cell));
  if (last <= first || below <= above) return;
  context.imageSmoothingEnabled = false;
  context.drawImage(image, first, above, last - first, below - above, left + first * cell - x, top + above * cell - y, (last - first) * cell, (below - above) * cell);
  context.strokeStyle = css("--mark");
  context.lineWidth = 2;
  const i = state.query;
  if (turned()) context.strokeRect(left + i * cell - x, top - y, cell, rows * cell);
  else context.strokeRect(left - x, top + i * cell - y, columns * cell, cell);
  if (!named) return;
  context.fillStyle = css("--ink");
  context.font = `${Math.min(13, cell - 1)}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  context.textAlign = "right";
  for (let row = above; row < below; ++row) context.fillText(fitted(context, label(r.queries, row), left - 10), left - 5 - x, top + (row + 0.5) * cell - y);
  context.textAlign = "left";
  for (let column = first; column < last; ++column) {
    context.save();
    context.translate(left + (column + 0.5) * cell - x, top - 5 - y);
    context.rotate(-Math.PI / 2);
    context.fillText(fitted(context, label(r.keys, column), top - 10), 0, 0);
    context.restore();
  }
}

function showMap() {
  const layout = mapLayout();
  return scroller(layout.left + layout.columns * layout.cell + 8, layout.top + layout.rows * layout.cell + 8,
    (context, ...seen) => drawMap(context, layout, ...seen),
    (x, y, click) => {
      const column = Math.floor((x - layout.left) / layout.cell), row = Math.floor((y - layout.top) / layout.cell);
      if (column < 0 || row < 0 || column >= layout.columns || row >= layout.rows) return;
      choose(turned() ? column : row, click, turned() ? row : column);
    });
}

const rowHeight = 18, lineLeft = 210, lineRight = 560;

function linesToDraw() {
  const r = record(), { values, most } = matrix(), least = Number($("least").value) / 100 * most, found = [];
  if (state.pinned || r.queries.count * r.keys.count > 40000) {
    for (let j = 0; j < asked().count; ++j) {
      const w = weight(state.query, j);
      if (w > 0.004 * most) found.push(turned() ? [j, state.query, w] : [state.query, j, w]);
    }
    return found;
  }
  for (let i = 0; i < r.queries.count; ++i)
    for (let j = 0; j < r.keys.count; ++j) if (values[i * r.keys.count + j] >= Math.max(least, 1e-9)) found.push([i, j, values[i * r.keys.count + j]]);
  return found;
}

function drawLines(context, x, y, width, height) {
  const r = record(), most = matrix().most;
  context.strokeStyle = css("--accent");
  for (const [i, j, w] of linesToDraw()) {
    context.globalAlpha = Math.max(0.06, share(w, most));
    context.lineWidth = 0.5 + 3.5 * w / most;
    context.beginPath();
    context.moveTo(lineLeft - x, (i + 0.5) * rowHeight + 30 - y);
    context.lineTo(lineRight - x, (j + 0.5) * rowHeight + 30 - y);
    context.stroke();
  }
  context.globalAlpha = 1;
  context.font = "13px system-ui, sans-serif";
  context.textBaseline = "middle";
  const from = Math.max(0, Math.floor((y - 30) / rowHeight)), to = Math.ceil((y + height - 30) / rowHeight);
  for (const [side, place, align, here] of [[r.queries, lineLeft - 6, "right", !turned()], [r.keys, lineRight + 6, "left", turned()]]) {
    context.textAlign = align;
    context.fillStyle = css("--soft");
    context.fillText(side === r.queries ? "looks" : "is looked at", place - x, 14 - y);
    for (let i = from; i < Math.min(to, side.count); ++i) {
      const chosen = here && i === state.query;
      context.fillStyle = chosen ? css("--mark") : css("--ink");
      context.font = `${chosen ? "bold " : ""}13px system-ui, sans-serif`;
      context.fillText(fitted(context, label(side, i), lineLeft - 16), place - x, (i + 0.5) * rowHeight + 30 - y);
    }
  }
}

function showLines() {
  const r = record();
  return scroller(lineRight + lineLeft, 40 + rowHeight * Math.max(r.queries.count, r.keys.count), drawLines, (x, y, click) => {
    const i = Math.floor((y - 30) / rowHeight);
    if (x < lineLeft + 40 !== !turned() || i < 0 || i >= asking().count) return;
    choose(i, click);
  });
}

function wordButtons(side, title, asks, weighs) {
  const block = document.createElement("div"), head = document.createElement("h2");
  block.className = "words";
  head.textContent = title;
  block.append(head);
  const words = [];
  for (let i = 0; i < side.count; ++i) {
    const word = document.createElement(asks ? "button" : "span");
    word.className = "word";
    word.textContent = shown(label(side, i));
    if (asks) {
      word.type = "button";
      word.dataset.at = i;
    }
    words.push(word);
    block.append(word, " ");
  }
  if (asks) {
    block.onmouseover = event => event.target.dataset.at && choose(Number(event.target.dataset.at), false);
    block.onclick = event => event.target.dataset.at && choose(Number(event.target.dataset.at), true);
    block.onfocus = null;
    block.addEventListener("focusin", event => event.target.dataset.at && choose(Number(event.target.dataset.at), true));
  }
  const colour = () => {
    const most = Math.max(...Array.from({ length: asked().count }, (_, j) => weight(state.query, j)));
    words.forEach((word, i) => {
      if (asks) {
        word.setAttribute("aria-pressed", i === state.query);
        word.tabIndex = i === state.query ? 0 : -1;
      }
      if (!weighs) return;
      const w = weight(state.query, i);
      [word.style.background, word.style.color] = ground(share(w, most));
      word.title = number(w);
    });
  };
  colour();
  return [block, colour];
}

function showWords() {
  const r = record();
  const parts = itself(r)
    ? [wordButtons(asking(), turned() ? "Choose a word: the others show how much they look at it" : "Choose a word: the others show how much it looks at them", true, true)]
    : [wordButtons(asking(), turned() ? "Choose what is looked at" : "Choose what looks", true, false),
       wordButtons(asked(), turned() ? "What looks at it" : "What it looks at", false, true)];
  $("stage").replaceChildren(...parts.map(part => part[0]));
  return () => parts.forEach(part => part[1]());
}

function showHeads() {
  const r = record(), grid = document.createElement("div");
  grid.className = "grid";
  grid.style.gridTemplateColumns = `repeat(${Math.min(r.heads, 8)}, minmax(110px, 1fr))`;
  for (let layer = 0; layer < r.layers; ++layer)
    for (let head = 0; head < r.heads; ++head) {
      const button = document.createElement("button"), canvas = pixelsOf(r, layer, head);
      button.type = "button";
      if (canvas.height < canvas.width / 4) canvas.style.height = "48px";
      button.setAttribute("aria-label", `layer ${layer + 1}, head ${head + 1}`);
      button.append(canvas, `${layer + 1}.${head + 1}, to ${number(matrixOf(r, layer, head).most)}`);
      button.onclick = () => { Object.assign(state, { layer, head, view: "map" }); fill(); show(); };
      grid.append(button);
    }
  $("stage").replaceChildren(grid);
  return () => {};
}

function grey(side, item) {
  const [h, w] = side.pixels.shape, colour = side.pixels.colour ? 3 : 1, canvas = document.createElement("canvas");
  side.bytes = side.bytes || bytesOf(side.pixels.data);
  canvas.width = w;
  canvas.height = h;
  const context = canvas.getContext("2d"), image = context.createImageData(w, h), from = item * h * w * colour;
  for (let p = 0; p < h * w; ++p) {
    for (let c = 0; c < 3; ++c) image.data[4 * p + c] = side.bytes[from + p * colour + (colour === 3 ? c : 0)];
    image.data[4 * p + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/// The weights of the selected query over the places of the one picture.
function overlay(side) {
  const [rows, columns] = side.grid, [canvas, context] = canvasOf(420, 420 * rows / columns);
  const width = 420, height = 420 * rows / columns;
  context.imageSmoothingEnabled = false;
  if (side.pixels) context.drawImage(grey(side, 0), 0, 0, width, height);
  const weights = Array.from({ length: side.count }, (_, j) => weight(state.query, j)), most = Math.max(...weights);
  context.globalAlpha = side.pixels ? 0.72 : 1;
  const map = document.createElement("canvas");
  map.width = columns;
  map.height = rows;
  const small = map.getContext("2d"), image = small.createImageData(columns, rows), out = new Uint32Array(image.data.buffer);
  weights.forEach((w, j) => { out[j] = table[Math.round(255 * Math.min(1, share(w, most)))]; });
  small.putImageData(image, 0, 0);
  context.drawImage(map, 0, 0, width, height);
  canvas.onmousemove = event => {
    const box = canvas.getBoundingClientRect();
    const j = Math.floor((event.clientY - box.top) / box.height * rows) * columns + Math.floor((event.clientX - box.left) / box.width * columns);
    read(Math.min(Math.max(j, 0), side.count - 1));
  };
  return canvas;
}

function showPicture() {
  const side = asked(), stage = $("stage");
  if (!side.grid && !side.pixels) {
    stage.replaceChildren("What is looked at here has no picture.");
    return () => {};
  }
  const [block, colour] = wordButtons(asking(), turned() ? "Choose what is looked at" : "Choose what looks", true, false);
  const row = document.createElement("div");
  row.className = "pictures";
  stage.replaceChildren(block, row);
  const redraw = () => {
    colour();
    row.replaceChildren();
    const add = (canvas, text) => {
      const figure = document.createElement("figure"), caption = document.createElement("figcaption");
      caption.textContent = text;
      figure.append(canvas, caption);
      row.append(figure);
    };
    const sized = (canvas, width) => { canvas.style.width = `${width}px`; return canvas; };
    if (side.grid) {
      if (side.pixels) add(sized(grey(side, 0), 420), "the picture");
      add(overlay(side), `where ${shown(label(asking(), state.query))} looks`);
      return;
    }
    if (asking().pixels && !asking().grid) add(sized(grey(asking(), state.query), 110), `${shown(label(asking(), state.query))} looks at`);
    const order = [...Array(side.count).keys()].filter(j => weight(state.query, j) > 0).sort((a, b) => weight(state.query, b) - weight(state.query, a)).slice(0, 40);
    for (const j of order) add(sized(grey(side, j), 84), `${shown(label(side, j))} ${number(weight(state.query, j))}`);
  };
  redraw();
  return redraw;
}

const draws = { words: showWords, map: showMap, lines: showLines, heads: showHeads, picture: showPicture };
let redraw = () => {};

// ---- What is chosen

/// Says the weights of the chosen query, or one of them.
function read(key) {
  const from = asking(), to = asked(), verb = turned() ? "is looked at by" : "looks at";
  const name = `“${shown(label(from, state.query))}” (${state.query + 1} of ${from.count})`;
  if (key !== undefined) {
    $("reading").textContent = `${name} ${verb} “${shown(label(to, key))}” (${key + 1} of ${to.count}): ${number(weight(state.query, key))}`;
    return;
  }
  const order = [...Array(to.count).keys()].sort((a, b) => weight(state.query, b) - weight(state.query, a)).slice(0, 6);
  $("reading").textContent = `${name} ${verb} ` + order.map(j => `“${shown(label(to, j))}” ${number(weight(state.query, j))}`).join(", ") + (to.count > 6 ? ", …" : "");
}

/// A query, under the mouse or pinned by a click or by keys.
function choose(i, pin, key) {
  if (!pin && state.pinned && key === undefined) return;
  if (pin && state.pinned && i === state.query && key !== undefined) state.pinned = false;
  else if (pin) state.pinned = true;
  const moved = state.query !== i && (pin || !state.pinned);
  if (moved) state.query = i;
  if (moved || pin) redraw();
  read(key === undefined || (state.pinned && i !== state.query) ? undefined : key);
}

function options(select, names, chosen) {
  select.replaceChildren(...names.map((name, i) => new Option(name, i)));
  select.value = chosen;
}

/// The lists of layers and heads of the chosen record, and what is chosen in them.
function fill() {
  const r = record();
  state.layer = Math.min(state.layer, r.layers - 1);
  state.head = Math.min(state.head, r.heads > 1 ? r.heads : 0);
  options($("layer"), Array.from({ length: r.layers }, (_, i) => `${i + 1} of ${r.layers}`), state.layer);
  const names = Array.from({ length: r.heads }, (_, i) => `${i + 1} of ${r.heads}`);
  if (r.heads > 1) names.push("mean of all");
  options($("head"), names, state.head);
}

function show() {
  state.query = Math.min(state.query, asking().count - 1);
  for (const tab of document.querySelectorAll("[role=tab]")) tab.setAttribute("aria-selected", tab.dataset.view === state.view);
  document.querySelector("[data-view=picture]").hidden = !(record().keys.pixels || record().keys.grid);
  $("size_label").hidden = state.view !== "map";
  $("least_label").hidden = state.view !== "lines";
  $("least_text").textContent = number(Number($("least").value) / 100 * matrix().most);
  redraw = draws[state.view]();
  read();
}

// ---- The figure as a picture

function figureOf() {
  const r = record(), most = 4000;
  const frame = (width, height) => {
    const [canvas, context] = canvasOf(width, height + 34);
    context.fillStyle = css("--ground");
    context.fillRect(0, 0, width, height + 34);
    context.fillStyle = css("--ink");
    context.font = "13px system-ui, sans-serif";
    context.fillText(fitted(context, `${r.title} · layer ${state.layer + 1}, ${state.head < r.heads ? `head ${state.head + 1}` : "mean of heads"}`, width - 16), 8, 20);
    context.translate(0, 34);
    return [canvas, context];
  };
  if (state.view === "map") {
    const layout = mapLayout(), width = Math.min(most, layout.left + layout.columns * layout.cell + 8), height = Math.min(most, layout.top + layout.rows * layout.cell + 8);
    const [canvas, context] = frame(width, height);
    drawMap(context, layout, 0, 0, width, height);
    return canvas;
  }
  if (state.view === "lines") {
    const height = Math.min(most, 40 + rowHeight * Math.max(r.queries.count, r.keys.count)), [canvas, context] = frame(lineRight + lineLeft, height);
    drawLines(context, 0, 0, lineRight + lineLeft, height);
    return canvas;
  }
  // Words, heads and pictures: what stands on the stage, at its place.
  const stage = $("stage").getBoundingClientRect(), [canvas, context] = frame(stage.width, Math.min(most, stage.height));
  context.textBaseline = "middle";
  context.font = "16px system-ui, sans-serif";
  for (const part of $("stage").querySelectorAll("canvas, .word, figcaption, .grid button")) {
    const box = part.getBoundingClientRect(), look = getComputedStyle(part);
    if (part.tagName === "CANVAS") {
      context.imageSmoothingEnabled = false;
      context.drawImage(part, box.left - stage.left, box.top - stage.top, box.width, box.height);
      continue;
    }
    if (part.className === "word") {
      context.fillStyle = look.backgroundColor;
      context.fillRect(box.left - stage.left, box.top - stage.top, box.width, box.height);
    }
    context.fillStyle = look.color;
    context.font = `${look.fontSize} system-ui, sans-serif`;
    if (part.tagName === "BUTTON" && part.className !== "word") context.fillText(part.textContent, box.left - stage.left + 6, box.bottom - stage.top - 12);
    else context.fillText(part.textContent, box.left - stage.left + 4, (box.top + box.bottom) / 2 - stage.top);
  }
  return canvas;
}

async function copy() {
  const canvas = figureOf();
  const blob = new Promise(done => canvas.toBlob(done, "image/png"));
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
    $("said").textContent = `Copied, ${canvas.width} × ${canvas.height} pixels.`;
  } catch {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await blob);
    link.download = `${record().name}_${state.view}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    $("said").textContent = `The browser gives no clipboard to this page: saved as ${link.download}.`;
  }
}

// ---- Mouse and keys

$("record").replaceChildren();
for (const chapter of [...new Set(records.map(r => r.chapter))]) {
  const group = document.createElement("optgroup");
  group.label = chapter ? chapter.replaceAll("_", " ") : "your text";
  records.forEach((r, i) => r.chapter === chapter && group.append(new Option(r.title, i)));
  $("record").append(group);
}
function reset() {
  state.pinned = false;
  $("back").checked = false;
  state.query = 0;
}
$("record").onchange = () => {
  state.record = Number($("record").value);
  reset();
  if (state.view === "picture" && !record().keys.pixels && !record().keys.grid) state.view = "words";
  if (record().keys.grid && record().queries.kind === "tokens") state.view = "picture";
  fill();
  show();
};
$("layer").onchange = () => { state.layer = Number($("layer").value); show(); };
$("head").onchange = () => { state.head = Number($("head").value); show(); };
for (const id of ["size", "root"]) $(id).onchange = show;
$("least").oninput = () => { $("least_text").textContent = number(Number($("least").value) / 100 * matrix().most); redraw(); };
$("back").onchange = () => { state.query = 0; state.pinned = false; show(); };
$("copy").onclick = copy;
$("theme").onclick = () => { document.documentElement.dataset.theme = dark() ? "light" : "dark"; show(); };
matchMedia("(prefers-color-scheme: dark)").onchange = show;
for (const tab of document.querySelectorAll("[role=tab]")) tab.onclick = () => { state.view = tab.dataset.view; show(); };
addEventListener("resize", () => show());

/// The word in the line above or below, nearest to the chosen one.
function upOrDown(step) {
  const words = [...document.querySelectorAll("button.word")], here = words[state.query].getBoundingClientRect();
  const middle = (here.left + here.right) / 2;
  let best = state.query, least = Infinity;
  words.forEach((word, i) => {
    const box = word.getBoundingClientRect(), lines = Math.round((box.top - here.top) / here.height / 1.2);
    if (step > 0 ? lines <= 0 : lines >= 0) return;
    const far = 10000 * Math.abs(lines) + Math.abs((box.left + box.right) / 2 - middle);
    if (far < least) [least, best] = [far, i];
  });
  return best;
}

addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || ["SELECT", "INPUT"].includes(event.target.tagName)) return;
  const r = record(), heads = r.heads > 1 ? r.heads + 1 : 1, around = (value, count) => (value + count) % count;
  const picks = { ArrowRight: 1, ArrowLeft: -1 };
  let to = null;
  if (event.key in picks && state.view !== "heads") to = around(state.query + picks[event.key], asking().count);
  else if (["ArrowUp", "ArrowDown"].includes(event.key) && document.querySelector("button.word")) to = upOrDown(event.key === "ArrowDown" ? 1 : -1);
  if (to !== null) {
    event.preventDefault();
    choose(to, true);
    const words = document.querySelectorAll("button.word");
    if (words.length) words[to].focus();
    return;
  }
  if (event.key === "[" || event.key === "]") state.head = around(state.head + (event.key === "]" ? 1 : -1), heads);
  else if (event.key === "," || event.key === ".") state.layer = around(state.layer + (event.key === "." ? 1 : -1), r.layers);
  else if (event.key >= "1" && event.key <= "5") {
    if (document.querySelector(`[data-view=${views[event.key - 1]}]`).hidden) return;
    state.view = views[event.key - 1];
  } else if (event.key === "c") return void copy();
  else if (event.key === "Escape") state.pinned = false;
  else return;
  fill();
  show();
});

if (records.length) {
  if (records[0].keys.grid) state.view = "picture";
  fill();
  show();
} else $("stage").textContent = "There is no record to show.";
