// Tables sort, filter and download; without this script they are plain tables.
"use strict";
for (const table of document.querySelectorAll(".scroll > table")) {
  const body = table.tBodies[0], rows = [...body.rows], heads = [...table.tHead.rows[0].cells];
  const name = table.caption.textContent;
  const key = (cell) => cell.dataset.v !== undefined ? Number(cell.dataset.v)
    : cell.textContent !== "" && !isNaN(cell.textContent.replace(/,/g, "")) ? Number(cell.textContent.replace(/,/g, ""))
    : cell.textContent === "–" ? "" : cell.textContent;
  const order = (a, b) => a === b ? 0 : a === "" ? 1 : b === "" ? -1
    : typeof a === "number" && typeof b === "number" ? a - b
    : String(a).localeCompare(String(b), "en", { numeric: true });
  const sort = (column, down) => {
    const sorted = rows.map((row, i) => [key(row.cells[column]), i, row]);
    // Empty cells stay last either way.
    sorted.sort((a, b) => (a[0] === "" || b[0] === "" || !down ? order(a[0], b[0]) : order(b[0], a[0])) || a[1] - b[1]);
    body.append(...sorted.map((each) => each[2]));
    heads.forEach((head, i) => i === column
      ? head.setAttribute("aria-sort", down ? "descending" : "ascending") : head.removeAttribute("aria-sort"));
  };
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.onclick = () => sort(column, head.getAttribute("aria-sort") === "ascending");
    head.append(button);
  });
  const tools = document.createElement("div");
  tools.className = "tools";
  if (rows.length >= 30) {
    const label = document.createElement("label"), input = document.createElement("input");
    const count = document.createElement("output");
    input.type = "search";
    label.append("Filter ", input);
    const filter = () => {
      const words = input.value.toLowerCase().split(/\s+/);
      for (const row of rows) row.hidden = !words.every((word) => row.textContent.toLowerCase().includes(word));
      count.textContent = input.value ? `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows` : "";
    };
    input.oninput = filter;
    addEventListener("hashchange", () => {
      const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (row && row.hidden && body.contains(row)) { input.value = ""; filter(); row.scrollIntoView(); }
    });
    tools.append(label, count);
  }
  const download = document.createElement("button");
  download.type = "button";
  const what = document.createElement("span");
  what.className = "hidden";
  what.textContent = `: ${name}`;
  download.append("Download CSV", what);
  download.onclick = () => {
    // A cell that starts a formula gets an apostrophe; numbers are never such.
    const quote = (text) => `"${(/^[=+\-@\t\r]/.test(text) ? "'" + text : text).replace(/"/g, '""')}"`;
    const field = (cell) => cell.dataset.v !== undefined ? cell.dataset.v : quote(cell.textContent === "–" ? "" : cell.textContent);
    const title = (head) => quote(head.textContent + (head.dataset.unit ? ` (${head.dataset.unit})` : ""));
    const lines = [heads.map(title).join(","), ...[...body.rows].filter((row) => !row.hidden)
      .map((row) => [...row.cells].map(field).join(","))];
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([lines.join("\n") + "\n"], { type: "text/csv" }));
    link.download = `${table.id}.csv`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  tools.append(download);
  table.parentElement.before(tools);
}
// The page of a running study loads itself again, and stays where it was read. Not while its reader
// has selected or filtered something, or has stopped it.
const live = document.getElementById("live");
if (live) {
  const store = (name, value) => {
    try {
      if (value !== undefined) sessionStorage.setItem(`${name} ${location.pathname}`, value);
      return sessionStorage.getItem(`${name} ${location.pathname}`);
    } catch { return null; } // storage is off: the browser's own memory has to do
  };
  const kept = store("scroll"), button = document.createElement("button");
  if (kept !== null && !location.hash) scrollTo(0, Number(kept));
  addEventListener("pagehide", () => store("scroll", String(scrollY)));
  let stopped = store("stopped") === "yes";
  const show = () => { button.textContent = stopped ? "Refresh this page again" : "Stop refreshing this page"; };
  button.type = "button";
  button.className = "copy";
  button.onclick = () => { stopped = !stopped; store("stopped", stopped ? "yes" : "no"); show(); };
  show();
  live.append(" ", button);
  const used = () => document.body.classList.contains("selecting")
    || [...document.querySelectorAll("input[type=search]")].some((each) => each.value !== "");
  setInterval(() => { if (!stopped && !used()) location.reload(); }, 1000 * Number(live.dataset.refresh));
}
