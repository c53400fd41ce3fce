// Studies of the list are chosen; the command that compares them is shown, to be copied.
(() => {
  const main = document.querySelector("main[data-compare]"), studies = document.querySelectorAll("section[data-study]");
  if (!main || studies.length < 2) return;
  const line = document.createElement("p"), code = document.createElement("code");
  line.className = "command compare";
  line.setAttribute("role", "status");
  line.hidden = true;
  line.append("Compare what is chosen: ", code);
  main.prepend(line);
  const chosen = () => [...main.querySelectorAll("input:checked")].map((each) => each.closest("section").dataset.study);
  for (const study of studies) {
    const label = document.createElement("label"), box = document.createElement("input"), name = document.createElement("span");
    box.type = "checkbox";
    name.className = "hidden";
    name.textContent = ` ${study.dataset.study}`;
    label.className = "pick";
    label.append(box, " Compare", name);
    study.append(label);
    box.onchange = () => {
      const names = chosen();
      line.hidden = names.length < 2;
      code.textContent = [main.dataset.compare, ...names].join(" ");
    };
  }
})();
