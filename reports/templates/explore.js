// A mark's tooltip is what the table says of its trial.
(() => {
  const table = document.getElementById("all-trials");
  if (!table) return;
  const heads = [...table.tHead.rows[0].cells].map((head) => head.textContent.trim()), loss = heads.indexOf("Loss");
  const told = new Map();
  for (const row of table.tBodies[0].rows) {
    const cell = (i) => i < 0 ? "" : row.cells[i].textContent.trim(), named = (name) => cell(heads.indexOf(name));
    const search = named("Search"), state = named("State").split(",")[0];
    const trial = [named("Arm"), search && `search ${search}`, `trial ${named("Trial")}`].filter(Boolean).join(", ");
    told.set(row.id, `${trial}${state === "finished" ? "" : ` (${state})`}: loss ${cell(loss)}, ${cell(loss + 1)}`);
  }
  for (const link of document.querySelectorAll('svg a[href^="#trial-"]')) {
    const title = document.createElementNS(link.namespaceURI, "title");
    title.textContent = told.get(link.getAttribute("href").slice(1)) || "";
    link.append(title);
  }
})();
// Axes of the trials' scatter are chosen; trials selected in one chart are so in all, and in the table.
(() => {
  const section = document.getElementById("explore"), table = document.getElementById("all-trials");
  if (!section || !table) return;
  const NS = Object.assign(document.createElement("template"), { innerHTML: "<svg></svg>" }).content.firstChild.namespaceURI;
  const narrow = innerWidth < 700, W = narrow ? 400 : 640, H = narrow ? 300 : 360, RIGHT = 12, TOP = 10, BOTTOM = 46;
  const rows = [...table.tBodies[0].rows], heads = [...table.tHead.rows[0].cells];
  const make = (name, attributes, ...children) => {
    const element = document.createElementNS(NS, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const text = (cell) => cell.textContent.trim(), number = (cell) => {
    const found = cell.dataset.v !== undefined ? Number(cell.dataset.v) : text(cell) === "" ? null : Number(text(cell).replace(/,/g, ""));
    return Number.isFinite(found) ? found : null;
  };
  const missing = (cell) => ["", "–"].includes(text(cell));
  // A column is one of numbers if all of its cells are, and its values are not declared as choices;
  // choices that are numbers have a log scale where it is asked for.
  const columns = heads.map((head, i) => {
    const cells = rows.map((row) => row.cells[i]), given = cells.filter((cell) => !missing(cell));
    const numeric = head.dataset.choices === undefined && given.length > 0 && given.every((cell) => number(cell) !== null);
    const words = numeric ? [] : [...new Set(given.map(text))].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    const numbers = given.every((cell) => number(cell) !== null);
    return { name: head.textContent.trim(), i, numeric, numbers, words, cells, useful: given.length > 0 && (numeric || words.length <= 30) };
  }).filter((each) => each.useful && !["Reason", "Trial", "Search"].includes(each.name));
  const named = (name) => columns.find((each) => each.name === name);
  const box = document.createElement("div"), form = document.createElement("div");
  box.className = "explorer";
  form.className = "tools";
  const control = (title, element) => {
    const label = document.createElement("label");
    label.append(`${title} `, element);
    form.append(label);
    return element;
  };
  const choose = (title, names, value) => {
    const select = document.createElement("select");
    for (const name of names) select.append(new Option(name, name, false, name === value));
    return control(title, select);
  };
  const tick = (axis) => {
    const input = document.createElement("input");
    input.type = "checkbox";
    input.setAttribute("aria-label", `log scale, ${axis}`);
    return control("log", input);
  };
  const all = columns.map((each) => each.name);
  const loss = named("Loss") ? "Loss" : all[0];
  const first = all[all.indexOf("Best epoch") + 1] || all[0];
  const x = choose("Horizontal", all, first), logX = tick("horizontal"), y = choose("Vertical", all, loss), logY = tick("vertical");
  const colour = choose("Colour", ["arm", "rank of the loss"], "arm");
  const svg = make("svg", { viewBox: `0 0 ${W} ${H}`, class: "chart", role: "graphics-document" });
  const told = document.createElement("output"), clear = document.createElement("button"), shown = document.createElement("button");
  clear.type = shown.type = "button";
  clear.textContent = "Clear selection";
  shown.textContent = "Select the rows that the table shows";
  const chosen = new Set();
  const bar = document.createElement("div");
  bar.className = "tools";
  bar.append(shown, clear, told);
  box.append(form, svg, bar);
  section.querySelector("p.lead").after(box);

  const mark = () => {
    const ids = chosen;
    document.body.classList.toggle("selecting", ids.size > 0);
    for (const link of document.querySelectorAll('svg a[href^="#trial-"]')) link.classList.toggle("on", ids.has(link.getAttribute("href").slice(1)));
    for (const row of rows) row.classList.toggle("on", ids.has(row.id));
    told.textContent = ids.size ? `${ids.size} of ${rows.length} trials selected` : "";
  };
  const select = (ids, add) => { if (!add) chosen.clear(); ids.forEach((id) => chosen.add(id)); mark(); };
  clear.onclick = () => select([], false);
  shown.onclick = () => select(rows.filter((row) => !row.hidden).map((row) => row.id), false);
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest('svg a[href^="#trial-"]');
    if (!link || !(event.ctrlKey || event.shiftKey || event.metaKey)) return;
    event.preventDefault();
    const id = link.getAttribute("href").slice(1);
    if (!chosen.delete(id)) chosen.add(id);
    mark();
  });

  const round = (value) => Number(value.toPrecision(6));
  const ticks = (low, high, log) => {
    const found = [];
    if (log) {
      const many = Math.log10(high / low) < 2.5 ? [1, 2, 5] : [1];
      for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
        for (const digit of many) { const at = digit * 10 ** power; if (at >= low && at <= high) found.push(round(at)); }
      }
      if (found.length > 1) return found;
      found.length = 0;
    }
    const raw = (high - low) / 5 || 1, power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map((each) => each * power).find((each) => each >= raw);
    for (let at = Math.ceil(low / step) * step; at <= high + step / 1e6; at += step) found.push(round(at));
    return found;
  };
  // From values to places between 0 and 1, and the ticks there.
  const scale = (column, wantsLog) => {
    if (!column.numeric && !(wantsLog && column.numbers)) {
      const n = column.words.length;
      return { place: (cell, i) => missing(cell) ? null : (column.words.indexOf(text(cell)) + 0.5 + (((i * 0.618) % 1) - 0.5) * 0.5) / n,
        ticks: column.words.map((word, k) => [(k + 0.5) / n, word.length > 16 ? `${word.slice(0, 10)}…${word.slice(-5)}` : word]), log: false };
    }
    const numbers = column.cells.filter((cell) => !missing(cell)).map(number);
    let low = Infinity, high = -Infinity;
    for (const each of numbers) { low = Math.min(low, each); high = Math.max(high, each); }
    const log = wantsLog && low > 0, of = log ? Math.log : (value) => value;
    if (low === high) { low -= Math.abs(low) / 10 || 1; high += Math.abs(high) / 10 || 1; }
    const span = of(high) - of(low), at = (value) => 0.04 + (0.92 * (of(value) - of(low))) / span;
    const big = (value) => Math.abs(value) >= 1e4 ? `${round(value / 1e3)}k` : String(value).replace("-", "−");
    return { place: (cell) => missing(cell) ? null : at(number(cell)), ticks: ticks(low, high, log).map((value) => [at(value), big(value)]), log };
  };
  // Also where there are too many arms for an axis.
  const place = (name) => heads.findIndex((head) => head.textContent.trim() === name), arm = place("Arm"), state = place("State");
  const keys = [...section.querySelectorAll(".legend path")], armOf = (row) => arm < 0 ? "" : text(row.cells[arm]);
  const order = [...new Set(rows.map(armOf))];
  const ranked = new Map(rows.filter((row) => named("Loss") && !missing(row.cells[named("Loss").i]))
    .sort((a, b) => number(a.cells[named("Loss").i]) - number(b.cells[named("Loss").i])).map((row, i, list) => [row.id, i / Math.max(1, list.length - 1)]));
  let drawn = [];
  const draw = () => {
    const cx = named(x.value), cy = named(y.value);
    const sx = scale(cx, logX.checked), sy = scale(cy, logY.checked);
    // Room for the longest label of the vertical axis, beside its title.
    const LEFT = Math.max(60, 28 + 7 * Math.max(...sy.ticks.map(([, label]) => String(label).length)));
    logX.disabled = !cx.numbers;
    logY.disabled = !cy.numbers;
    const px = (u) => LEFT + u * (W - LEFT - RIGHT), py = (v) => H - BOTTOM - v * (H - TOP - BOTTOM);
    svg.replaceChildren();
    svg.setAttribute("aria-label", `Scatter chart of trials: ${cy.name} against ${cx.name}, colour by ${colour.value}; the table of all trials has the numbers`);
    const style = "fill:var(--muted);font-size:12px";
    for (const [u, label] of sx.ticks) svg.append(make("line", { x1: px(u), x2: px(u), y1: TOP, y2: H - BOTTOM, stroke: "var(--grid)" }), make("text", { x: px(u), y: H - BOTTOM + 17, style, "text-anchor": "middle" }, label));
    for (const [v, label] of sy.ticks) svg.append(make("line", { x1: LEFT, x2: W - RIGHT, y1: py(v), y2: py(v), stroke: "var(--grid)" }), make("text", { x: LEFT - 6, y: py(v) + 4, style, "text-anchor": "end" }, label));
    svg.append(make("text", { x: (LEFT + W) / 2, y: H - 6, style, "text-anchor": "middle" }, cx.name + (sx.log ? " (log)" : "")));
    svg.append(make("text", { x: 14, y: (H - BOTTOM) / 2, style, "text-anchor": "middle", transform: `rotate(-90 14 ${(H - BOTTOM) / 2})` }, cy.name + (sy.log ? " (log)" : "")));
    drawn = [];
    rows.forEach((row, i) => {
      const u = sx.place(row.cells[cx.i], i), v = sy.place(row.cells[cy.i], i);
      if (u === null || v === null) return;
      const key = keys[order.indexOf(armOf(row))], finished = text(row.cells[state]).startsWith("finished");
      const hue = colour.value === "arm" && key ? key.style.stroke : "var(--series-0)";
      const rank = ranked.has(row.id) ? ranked.get(row.id) : 1;
      const path = make("path", { d: key ? key.getAttribute("d") : "M-1 0A1 1 0 1 0 1 0A1 1 0 1 0-1 0Z", transform: `translate(${px(u)} ${py(v)}) scale(4.4)`,
        style: `fill:${finished ? hue : "none"};stroke:${finished ? "var(--paper)" : hue};stroke-width:${finished ? 0.15 : 0.3};fill-opacity:${colour.value === "arm" ? 0.85 : 1 - 0.9 * rank}`, class: "dot" });
      const names = [armOf(row), `${cx.name} ${text(row.cells[cx.i])}`, `${cy.name} ${text(row.cells[cy.i])}`, text(row.cells[state])];
      svg.append(make("a", { href: `#${row.id}`, tabindex: "-1" }, make("title", {}, names.filter(Boolean).join(", ")), path));
      drawn.push([px(u), py(v), row.id]);
    });
    mark();
  };
  // Dragging selects what the rectangle has; a click beside all marks selects nothing.
  let from = null, frame = null;
  const point = (event) => new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
  svg.addEventListener("pointerdown", (event) => {
    if (event.button || event.target.closest("a")) return;
    event.preventDefault();
    from = point(event);
    frame = make("rect", { style: "fill:var(--accent);fill-opacity:.15;stroke:var(--accent)" });
    svg.append(frame);
    svg.setPointerCapture(event.pointerId);
  });
  const area = (event) => { const to = point(event); return [Math.min(from.x, to.x), Math.min(from.y, to.y), Math.abs(to.x - from.x), Math.abs(to.y - from.y)]; };
  svg.addEventListener("pointermove", (event) => {
    if (from) ["x", "y", "width", "height"].forEach((name, i) => frame.setAttribute(name, area(event)[i]));
  });
  const end = () => { if (frame) frame.remove(); from = frame = null; };
  svg.addEventListener("pointerup", (event) => {
    if (!from) return;
    const [left, top, width, height] = area(event);
    end();
    select(drawn.filter(([a, b]) => a >= left && a <= left + width && b >= top && b <= top + height).map((each) => each[2]), event.shiftKey || event.ctrlKey);
  });
  svg.addEventListener("pointercancel", end); // a finger that scrolls the page selects nothing
  for (const element of [x, y, logX, logY, colour]) element.onchange = draw;
  draw();
})();
