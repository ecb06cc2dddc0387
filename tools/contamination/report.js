"use strict";
// Everything shown comes in through textContent, so nothing of a benchmark or corpus is markup.
(() => {
  const source = document.getElementById("data");
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const order = ["dirty", "suspicious", "clean", "short"];
  const words = { dirty: "dirty", suspicious: "suspicious", clean: "clean", short: "too short" };
  const PAGE = 100;
  const at = (id) => document.getElementById(id);
  const state = { key: "verdict", up: true, shown: PAGE };

  const make = (name, classes, text) => {
    const element = document.createElement(name);
    if (classes) element.className = classes;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const badge = (verdict, text) => make("span", "verdict " + verdict, text || words[verdict]);
  const part = () => data.parts.indexOf(at("part").value);
  const chosen = () => data.definitions.indexOf(at("definition").value);
  const measure = (row) => row.m[part()];
  const verdictOf = (row) => {
    const d = chosen();
    if (d >= 0) return order[measure(row)[d][0]];
    return order[Math.min(...measure(row).map((m) => m[0]))];
  };
  const shareOf = (m) => (m[2] ? m[1] / m[2] : -1);
  const percent = (share) => (share < 0 ? "–" : (100 * share).toFixed(share && share < 0.1 ? 1 : 0) + " %");

  const keys = {
    name: (row) => row.i,
    verdict: (row) => order.indexOf(verdictOf(row)) - Math.max(0, ...measure(row).map(shareOf)) / 2,
    count: (row) => (row.e ? row.e.count : Infinity),
  };
  data.definitions.forEach((name, d) => {
    keys[name] = (row) => -shareOf(measure(row)[d]);
  });

  const rows = () => {
    const asked = at("search").value.toLowerCase();
    const verdict = at("verdict").value;
    const kept = data.examples.filter((row) =>
      (!verdict || verdictOf(row) === verdict) &&
      (!asked || row.search.includes(asked)));
    const key = keys[state.key];
    const values = new Map(kept.map((row) => [row, key(row)]));
    kept.sort((a, b) => {
      const x = values.get(a), y = values.get(b);
      return (x < y ? -1 : x > y ? 1 : a.i - b.i) * (x === y || state.up ? 1 : -1);
    });
    return kept;
  };

  // Python counts characters, JavaScript UTF-16 units: cut by characters.
  const marked = (text, spans, rarest) => {
    const box = make("div", "text"), letters = Array.from(text);
    const borders = new Set([0, letters.length]);
    const all = rarest ? spans.concat([rarest]) : spans;
    all.forEach(([start, end]) => { borders.add(start); borders.add(end); });
    const cuts = [...borders].filter((c) => c <= letters.length).sort((a, b) => a - b);
    for (let k = 0; k + 1 < cuts.length; k++) {
      const [from, to] = [cuts[k], cuts[k + 1]];
      const inside = ([start, end]) => start <= from && to <= end;
      const piece = letters.slice(from, to).join("");
      if (all.some(inside)) {
        box.append(make("mark", rarest && inside(rarest) ? "rarest" : "", piece));
      } else box.append(piece);
    }
    return box;
  };

  const detail = (row) => {
    const cell = make("td"), line = make("tr", "detail");
    cell.colSpan = 3 + data.definitions.length;
    ["question", "answer"].forEach((name) => {
      row[name].forEach((text, number) => {
        const spans = row.spans.filter((s) => s[0] === name && s[1] === number).map((s) => [s[2], s[3]]);
        const s = row.e && row.e.span;
        const rarest = s && s.part === name && s.text === number ? [s.start, s.end] : null;
        cell.append(make("h3", "", name + (row[name].length > 1 ? " " + (number + 1) : "")), marked(text, spans, rarest));
      });
    });
    if (row.e) {
      cell.append(make("h3", "", `rarest window found: ${row.e.count.toLocaleString("en")} ×, by ${row.e.definition}` +
        (row.e.normalized ? ", in normalized text" : "")));
      cell.append(make("div", "text", row.e.window));
      cell.append(make("h3", "", `in document ${row.e.document.toLocaleString("en")} of the corpus`));
      cell.append(make("div", "mono", JSON.stringify(row.e.metadata)));
      cell.append(marked(row.e.context, [[row.e.start, row.e.end]], null));
    } else cell.append(make("p", "lead", "No window of it was found."));
    const table = make("table"), top = make("thead"), head = make("tr"), body = make("tbody");
    [""].concat(data.definitions).forEach((name) => head.append(make("th", "", name)));
    top.append(head);
    data.parts.forEach((name, p) => {
      const tr = make("tr");
      tr.append(make("th", "", name));
      row.m[p].forEach((m) => {
        const td = make("td");
        td.append(badge(order[m[0]]), ` ${m[1]}/${m[2]}`);
        tr.append(td);
      });
      body.append(tr);
    });
    table.append(top, body);
    const scroll = make("div", "scroll");
    scroll.tabIndex = 0;
    scroll.append(table);
    cell.append(make("h3", "", "found / windows or tokens there are"), scroll);
    line.append(cell);
    return line;
  };

  const line = (row) => {
    const tr = make("tr"), first = make("th"), open = make("button", "open", row.name);
    first.scope = "row";
    open.type = "button";
    open.setAttribute("aria-expanded", "false");
    open.addEventListener("click", () => {
      const now = open.getAttribute("aria-expanded") === "true";
      open.setAttribute("aria-expanded", String(!now));
      if (now) tr.nextElementSibling.remove();
      else tr.after(detail(row));
    });
    first.append(open, make("div", "snippet", row.question.join(" ")));
    const verdict = make("td");
    verdict.append(badge(verdictOf(row)));
    tr.append(first, verdict);
    measure(row).forEach((m, d) => {
      const cell = make("td", "number");
      cell.dataset.label = data.definitions[d];
      cell.append(badge(order[m[0]], percent(shareOf(m))));
      tr.append(cell);
    });
    const count = make("td", "number", row.e ? row.e.count.toLocaleString("en") : "–");
    count.dataset.label = "count of the rarest window";
    tr.append(count);
    return tr;
  };

  const show = () => {
    const found = rows(), body = at("examples").tBodies[0];
    body.replaceChildren(...found.slice(0, state.shown).map(line));
    at("more").hidden = found.length <= state.shown;
    at("status").textContent =
      `${found.length.toLocaleString("en")} of ${data.examples.length.toLocaleString("en")} examples` +
      (found.length > state.shown ? `, the first ${state.shown} shown` : "");
    document.querySelectorAll("#examples th[data-key]").forEach((th) => {
      th.setAttribute("aria-sort", th.dataset.key !== state.key ? "none" : state.up ? "ascending" : "descending");
    });
  };
  const again = () => { state.shown = PAGE; show(); };

  data.examples.forEach((row, i) => {
    row.i = i;
    row.search = [row.name, ...row.question, ...row.answer].join("\n").toLowerCase();
  });
  document.querySelectorAll("#examples th[data-key]").forEach((th) => {
    th.querySelector("button").addEventListener("click", () => {
      state.up = state.key === th.dataset.key ? !state.up : true;
      state.key = th.dataset.key;
      again();
    });
  });
  ["search", "part", "definition", "verdict"].forEach((id) => at(id).addEventListener("input", again));
  at("more").addEventListener("click", () => { state.shown += PAGE; show(); });
  show();
})();
