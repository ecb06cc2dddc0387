// Elements of the page. Whatever comes from the index or the reader is put in with textContent, so
// none of it is markup.

export const whole = (number) => Number(number).toLocaleString("en");
export const many = (number, name) => `${whole(number)} ${name}${number === 1 ? "" : "s"}`;
export const percent = (share) => `${(100 * share).toFixed(share > 0 && share < 0.0995 ? 2 : 1)} %`;

export const decoded = (bytes) => {
  try { return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes); } catch { return null; }
};

export const make = (name, classes, ...inside) => {
  const element = document.createElement(name);
  if (classes) element.className = classes;
  element.append(...inside);
  return element;
};
// Controls and changes of direction are spelled out, so that a text cannot disguise itself.
const HIDDEN = /[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/;
export const shown = (element, text, spaces) => {
  const name = (c) => (spaces && c === "\n" ? "⏎" : spaces && c === "\t" ? "⇥" : spaces && c === " " ? "␣" : "");
  let plain = "";
  for (const c of text) {
    const named = name(c) || (HIDDEN.test(c) ? `\\u${c.codePointAt(0).toString(16).padStart(4, "0")}` : "");
    if (!named) { plain += c; continue; }
    element.append(plain, make("span", "hidden-char", named));
    plain = "";
  }
  element.append(plain);
  return element;
};
export const token = (piece, id) => {
  const element = make("bdi", "token");
  if (piece === null) element.textContent = `token ${id}`;
  else if (!piece.length) element.textContent = `(no text, token ${id})`;
  else {
    const text = decoded(piece);
    if (text === null) element.textContent = [...piece].map((b) => `⟨${b.toString(16).padStart(2, "0")}⟩`).join("");
    else shown(element, text, true);
  }
  element.title = `token ${id}`;
  return element;
};
export const chips = (pieces, ids, label) => {
  const list = make("ol", "tokens", ...pieces.map((piece, i) => make("li", "", token(piece, ids[i]))));
  list.setAttribute("aria-label", label);
  return list;
};
export const figure = (number, words) => make("p", "figure", make("b", "", number), make("span", "soft", words));

// ---------------------------------------------------------------- documents

export const article = (found, more) => {
  const { fields, ...facts } = found.metadata_json || {};
  const named = Object.entries({ ...facts, ...(fields || {}) });
  const file = String(facts.path ?? "").split("/").pop();
  const title = shown(make("bdi"), String((fields && (fields.title || fields.name)) || file || `number ${whole(found.number)}`));
  const where = `document ${whole(found.number)}, tokens ${whole(found.start)} to ${whole(found.end)} of ${whole(found.token_count)}`;
  const about = make("p", "soft", [where, more].filter(Boolean).join(" · "));
  named.filter(([, value]) => value !== null && value !== "").forEach(([name, value]) => {
    about.append(" · ", shown(make("bdi"), `${name}: ${typeof value === "object" ? JSON.stringify(value) : value}`));
  });
  const excerpt = make("div", "excerpt");
  excerpt.tabIndex = 0;
  excerpt.setAttribute("role", "group");
  excerpt.setAttribute("aria-label", `text of document ${found.number}`);
  marked(excerpt, found);
  return make("article", "", make("h3", "", title), about, excerpt);
};
const marked = (element, found) => {
  const places = found.text === undefined
    ? found.matches.map((m) => [m.start - found.start, m.end - found.start])
    : found.matches.filter((m) => m.text_start !== undefined).map((m) => [m.text_start, m.text_end]);
  // The server counts characters, JavaScript UTF-16 units.
  const letters = found.text === undefined ? found.ids.map((id) => `${id} `) : Array.from(found.text);
  const cut = (start, end) => letters.slice(start, end).join("");
  if (found.start > 0) element.append(make("span", "soft", "… "));
  let done = 0;
  places.forEach(([start, end]) => {
    if (end <= done) return;
    shown(element, cut(done, Math.max(start, done)));
    element.append(shown(make("mark"), cut(Math.max(start, done), end)));
    done = end;
  });
  shown(element, cut(done, letters.length));
  if (found.end < found.token_count) element.append(make("span", "soft", " …"));
};
