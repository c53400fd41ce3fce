// Figures download as SVG and PNG, and code is copied. In a function of its own: no name is shared.
(() => {
  const NS = Object.assign(document.createElement("template"), { innerHTML: "<svg></svg>" }).content.firstChild.namespaceURI;
  const WIDTH = 400, GAP = 16;
  const press = (text, what, act) => {
    const button = document.createElement("button"), hidden = document.createElement("span");
    button.type = "button";
    hidden.className = "hidden";
    hidden.textContent = what;
    button.append(text, hidden);
    button.onclick = () => act(button);
    return button;
  };
  const save = (blob, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  // A file knows no variables of the page, so they become the colours that are seen now.
  const plain = (element, look) => {
    for (const each of [element, ...element.querySelectorAll("*")]) {
      for (const name of ["style", "fill", "stroke"]) {
        const value = each.getAttribute(name);
        if (value && value.includes("var(")) {
          each.setAttribute(name, value.replace(/var\((--[\w-]+)\)/g, (_, key) => look.getPropertyValue(key).trim()));
        }
      }
      each.removeAttribute("class");
    }
  };
  const drawn = (figure) => {
    const look = getComputedStyle(document.documentElement), font = getComputedStyle(document.body).fontFamily;
    const whole = document.createElementNS(NS, "svg"), paper = document.createElementNS(NS, "rect");
    whole.append(paper);
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = `12px ${font}`;
    let x = GAP, y = GAP;
    for (const entry of figure.querySelectorAll(".legend li")) {
      const label = document.createElementNS(NS, "text"), mark = entry.querySelector("path").cloneNode();
      label.textContent = entry.textContent.trim();
      const width = 20 + pen.measureText(label.textContent).width;
      if (x > GAP && x + width > WIDTH) { x = GAP; y += 20; }
      mark.setAttribute("transform", `translate(${x + 6} ${y + 8}) scale(6)`);
      mark.setAttribute("stroke-width", ".22");
      label.setAttribute("x", x + 17);
      label.setAttribute("y", y + 12);
      label.setAttribute("style", `font-size:12px;fill:${look.getPropertyValue("--ink")}`);
      whole.append(mark, label);
      x += width + 14;
    }
    if (x > GAP) y += 28;
    for (const chart of figure.querySelectorAll("svg.chart")) {
      const panel = chart.cloneNode(true), box = chart.viewBox.baseVal;
      const height = (WIDTH * box.height) / box.width;
      panel.setAttribute("x", GAP);
      panel.setAttribute("y", y);
      panel.setAttribute("width", WIDTH);
      panel.setAttribute("height", height);
      panel.setAttribute("style", "overflow:visible");
      // Links lead to rows of the page.
      for (const link of panel.querySelectorAll("a")) {
        for (const name of ["href", "tabindex"]) link.removeAttribute(name);
      }
      whole.append(panel);
      y += height + GAP;
    }
    plain(whole, look);
    const width = WIDTH + 2 * GAP;
    for (const [name, value] of Object.entries({ width, height: y, viewBox: `0 0 ${width} ${y}` })) whole.setAttribute(name, value);
    whole.setAttribute("style", `font-family:${font.replace(/"/g, "'")}`);
    for (const [name, value] of Object.entries({ width, height: y, fill: look.getPropertyValue("--paper").trim() })) paper.setAttribute(name, value);
    return { text: new XMLSerializer().serializeToString(whole), width, height: y };
  };
  for (const figure of document.querySelectorAll("figure")) {
    const of = ` of ${figure.id.replace(/-/g, " ")}`, caption = figure.querySelector("figcaption");
    const link = caption.querySelector("a");
    const svg = press("SVG", of, () => save(new Blob([drawn(figure).text], { type: "image/svg+xml" }), `${figure.id}.svg`));
    const png = press("PNG", of, () => {
      const { text, width, height } = drawn(figure), image = new Image(), canvas = document.createElement("canvas");
      image.onload = () => {
        canvas.width = 3 * width;
        canvas.height = 3 * height;
        canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
        canvas.toBlob((blob) => save(blob, `${figure.id}.png`));
      };
      image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    });
    link.after(" ", svg, " ", png);
  }
  for (const code of document.querySelectorAll("code")) {
    const told = document.createElement("span");
    told.className = "told";
    told.setAttribute("role", "status");
    // Where the browser refuses, the text is selected for the reader to copy it.
    const select = () => { getSelection().selectAllChildren(code); told.textContent = "Selected: copy it with the keyboard"; };
    const button = press("Copy", `: ${code.textContent.trim().split("\n")[0].slice(0, 80)}`, () => {
      if (!navigator.clipboard) { select(); return; }
      navigator.clipboard.writeText(code.textContent).then(() => { told.textContent = "Copied"; }, select);
      setTimeout(() => { told.textContent = ""; }, 3000);
    });
    button.className = "copy";
    code.after(button, told);
  }
})();
