import { post } from "./page_asking.js";
import { article, chips, decoded, figure, make, many, percent, shown, token, whole } from "./page_elements.js";

const TABS = ["count", "next", "attribution", "search", "documents"];
const PAGE = 10, CONTEXT = 48, SHOWN_TOKENS = 200, PAUSE = 300, KEY = "gramdex-token";
const NOTES = {
  count: "Every occurrence is counted, however the tokenizer cut it; and the text as one sequence of tokens.",
  next: "What follows the longest end of this text that the corpus has.",
  attribution: "Which parts of this text stand in the corpus, word for word.",
  search: "Phrases with AND, OR, parentheses and NEAR/n: (\"natural language\" OR nlp) AND corpus",
  documents: "Documents in which this text stands, in the order of the corpus.",
};
const at = (id) => document.getElementById(id);

// exact: ids that stand for the text, where it was put together token by token.
const state = { tab: "count", text: "", query: "", page: 0, exact: null };
let info = null, stale = false;
const asking = {};
// What share of the corpus answers came from, by the signal they were asked with.
const covered = new WeakMap();

// ---------------------------------------------------------------- asking

const ask = async (method, request, signal) => {
  const messages = await post(method, request, sessionStorage.getItem(KEY), signal);
  // Another index is served by now: what is known of the one before is asked again.
  stale ||= info !== null && messages[0].generation !== info.generation;
  messages.forEach((message) => { if (signal && message.coverage) covered.set(signal, message.coverage); });
  return messages;
};
const one = async (...call) => (await ask(...call))[0];

// Where the tokenizer is not known, a text is the ids themselves.
const query = (text) => {
  if (info && info.tokenizer_kind !== "none") return text;
  return text.split(/[\s,]+/).filter(Boolean).map((word) => {
    if (!/^\d{1,10}$/.test(word)) throw new Error(`${JSON.stringify(word)} is no token id: this index has no tokenizer.`);
    return Number(word);
  });
};
const encode = async (signal) => {
  if (state.exact) return state.exact;
  const asked = query(state.text);
  return Array.isArray(asked) ? asked : (await one("Encode", { text: asked }, signal)).tokens;
};
const pieces = async (ids, signal) => {
  if (info.tokenizer_kind === "none") return { text: ids.join(" "), pieces: ids.map(() => null) };
  const answer = await one("Decode", { tokens: ids, pieces: true }, signal);
  const bytes = answer.pieces.map((each) => Uint8Array.from(atob(each), (c) => c.charCodeAt(0)));
  return { text: answer.text, pieces: bytes };
};

// ---------------------------------------------------------------- panels

const panels = {};
TABS.forEach((name) => {
  const status = make("p", "status"), error = make("p", "error"), result = make("div", "result");
  status.setAttribute("role", "status");
  error.setAttribute("role", "alert");
  error.hidden = true;
  at(name).append(error, status, result);
  panels[name] = { status, error, result };
});

const run = async (name) => {
  if (asking[name]) asking[name].abort();
  const { status, error, result } = panels[name], control = new AbortController();
  asking[name] = control;
  write();
  error.hidden = true;
  const given = name === "search" ? state.query : state.text;
  if (!given.trim() && !(name === "next" || (given && name !== "attribution"))) {
    result.replaceChildren();
    status.textContent = "";
    at(name).classList.remove("busy");
    return;
  }
  at(name).classList.add("busy");
  at(name).setAttribute("aria-busy", "true");
  status.textContent = "Asking …";
  try {
    if (!info || stale) await hello(control.signal);
    const [said, ...elements] = await views[name](control.signal);
    if (control.signal.aborted) return;
    result.replaceChildren(...elements);
    status.textContent = [partial(covered.get(control.signal)), said].filter(Boolean).join(" ");
  } catch (wrong) {
    if (wrong.name === "AbortError" || control.signal.aborted) return;
    result.replaceChildren();
    status.textContent = "";
    error.textContent = wrong.message;
    error.hidden = false;
    if (wrong.status === 401) login(wrong.message);
  } finally {
    if (asking[name] === control) {
      at(name).classList.remove("busy");
      at(name).removeAttribute("aria-busy");
    }
  }
};

const partial = (part) => part && part.token_count < part.total_token_count
  ? `Of ${percent(part.token_count / part.total_token_count)} of the corpus alone; missing: ${part.missing.join(", ")}.`
  : "";

const views = {
  count: async (signal) => {
    const asked = state.exact || query(state.text);
    const [found, ids] = await Promise.all([one("Count", { query: asked }, signal), encode(signal)]);
    const [same, named] = await Promise.all([
      Array.isArray(asked) ? found : one("Count", { query: ids }, signal),
      pieces(ids.slice(0, SHOWN_TOKENS), signal),
    ]);
    const rate = info.token_count ? (1e6 * same.count) / info.token_count : 0;
    const list = chips(named.pieces, ids, "tokens of the text");
    const views = [];
    if (!Array.isArray(asked)) {
      views.push(figure(whole(found.count), "times this text stands in documents, wherever its characters do"));
    }
    views.push(figure(whole(same.count), `times as ${ids.length === 1 ? "this token" : `these ${whole(ids.length)} tokens`}, ${rate.toPrecision(3)} in a million`), list);
    if (ids.length > SHOWN_TOKENS) views.push(make("p", "soft", `and ${whole(ids.length - SHOWN_TOKENS)} more tokens`));
    return ["", ...views];
  },

  next: async (signal) => {
    const ids = await encode(signal);
    const found = await one("InfgramNtd", { context: ids, limit: Number(at("bars").value) }, signal);
    const suffix = ids.slice(ids.length - Math.min(found.suffix_length, SHOWN_TOKENS));
    const [named, used] = await Promise.all([pieces(found.tokens, signal), pieces(suffix, signal)]);
    const all = found.context_count || 1;
    const rest = found.context_count - found.end_count - found.counts.reduce((a, b) => a + b, 0);
    const row = (element, label, count) => {
      const fill = make("i");
      fill.style.width = `${(100 * count) / all}%`;
      const track = make("span", "track", fill);
      track.setAttribute("aria-hidden", "true");
      element.append(label, track, make("span", "number", whole(count)), make("span", "number", percent(count / all)));
      return make("li", "", element);
    };
    const bars = make("ol", "bars");
    found.tokens.forEach((id, i) => {
      const button = make("button", "bar");
      button.type = "button";
      button.addEventListener("click", () => append(ids.concat(id)));
      bars.append(row(button, token(named.pieces[i], id), found.counts[i]));
    });
    if (rest > 0) bars.append(row(make("div", "bar rest"), make("span", "token", "all other tokens"), rest));
    if (found.end_count) bars.append(row(make("div", "bar rest"), make("span", "token", "end of document"), found.end_count));
    const said = found.suffix_length
      ? `After the last ${found.suffix_length === 1 ? "token" : `${whole(found.suffix_length)} tokens`} of ${whole(ids.length)}, in the corpus ${many(found.context_count, "time")}:`
      : ids.length ? "Not even the last token occurs. Of all tokens of the corpus:" : "Of all tokens of the corpus:";
    const context = chips(used.pieces, suffix, "tokens that were used");
    const note = make("p", "note", "Choose a token to put it behind the text.");
    return [said, ...(found.suffix_length ? [context] : []), bars, note];
  },

  attribution: async (signal) => {
    const request = { text: state.exact || query(state.text), max_documents: 5, context: CONTEXT };
    if (at("min-length").value) request.min_length = Number(at("min-length").value);
    if (at("keep-all").checked) request.keep_all = true;
    const found = await one("Attribute", request, signal);
    const named = await pieces(found.ids, signal);
    const parts = await partsOf(found, named, signal);
    const inside = parts.reduce((sum, part) => sum + (part.spans.length ? part.end - part.start : 0), 0);
    const detail = make("div", "passage"), text = make("div", "text");
    detail.setAttribute("aria-live", "polite");
    const show = (part, element) => {
      text.querySelectorAll(".span").forEach((each) => each.setAttribute("aria-pressed", String(each === element)));
      detail.replaceChildren(...part.spans.flatMap((span) => spanView(span, found)));
    };
    parts.forEach((part) => {
      if (!part.spans.length) { shown(text, part.text); return; }
      const element = shown(make("span", `span l${part.level}`), part.text);
      element.tabIndex = 0;
      element.setAttribute("role", "button");
      element.setAttribute("aria-pressed", "false");
      ["click", "focus"].forEach((kind) => element.addEventListener(kind, () => show(part, element)));
      element.addEventListener("keydown", (event) => {
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); show(part, element); }
      });
      text.append(element);
    });
    const said = `${many(found.spans.length, "span")} of ${whole(found.found)}, ${percent(inside / (found.ids.length || 1))} of the ${many(found.ids.length, "token")}`;
    if (!found.spans.length) return [`No span of this text stands in the corpus (${many(found.ids.length, "token")}).`, text];
    const legend = make("p", "legend", ...["rarest spans", "rarer", "others"].map((words, level) =>
      make("span", "", make("i", `l${level}`), words)));
    return [`${said}. Choose a passage to see where it stands.`, text, legend, detail];
  },

  search: async (signal) => {
    const request = { query: state.query, max_documents: PAGE + 1, context: CONTEXT, skip: PAGE * state.page };
    if (at("window").value) request.window = Number(at("window").value);
    const messages = await ask("Search", request, signal);
    const documents = messages.flatMap((message) => message.documents), found = messages[0].summary;
    const inside = found.document_count === undefined ? "" : ` in ${many(found.document_count, "document")}`;
    const said = found.exact
      ? "counted exactly"
      : `about, ${whole(found.low)} to ${whole(found.high)} at 99 %, from a sample of ${whole(found.sampled)}`;
    const count = figure(whole(found.count), `${found.count === 1 ? "match" : "matches"}${inside}, ${said}`);
    if (!info.serves_documents) return ["This server gives no documents out.", count];
    return ["", count, ...list(documents, "search")];
  },

  documents: async (signal) => {
    const request = { query: state.exact || query(state.text), max_documents: PAGE + 1, context: CONTEXT, skip: PAGE * state.page };
    const messages = await ask("Documents", request, signal);
    const documents = messages.flatMap((message) => message.documents);
    const none = !documents.length && !state.page;
    return [none ? "No document holds this text." : "", ...list(documents, "documents")];
  },
};

// The text in pieces, in order: spans that share a token are one piece; level 0 is rarest.
const partsOf = async (found, named, signal) => {
  const order = found.spans.map((_, i) => i).sort((a, b) => found.spans[a].log_probability - found.spans[b].log_probability);
  const levels = [];
  order.forEach((i, place) => { levels[i] = Math.floor((place * 3) / order.length); });
  const merged = [];
  found.spans.forEach((span, i) => {
    const last = merged[merged.length - 1];
    if (last && span.start < last.end) {
      last.end = Math.max(last.end, span.end);
      last.level = Math.min(last.level, levels[i]);
      last.spans.push(span);
    } else merged.push({ start: span.start, end: span.end, level: levels[i], spans: [span] });
  });
  const parts = [];
  let done = 0;
  const until = (end) => { if (done < end) parts.push({ start: done, end, level: -1, spans: [] }); done = end; };
  merged.forEach((part) => { until(part.start); parts.push(part); done = part.end; });
  until(found.ids.length);
  const texts = await textsOf(parts, found.ids, named, signal);
  parts.forEach((part, i) => { part.text = texts[i]; });
  return parts;
};
// A character that a border cuts goes to the piece it begins in.
const textsOf = async (parts, ids, named, signal) => {
  if (named.pieces.some((piece) => piece === null)) return parts.map(({ start, end }) => ` ${ids.slice(start, end).join(" ")} `);
  const bytes = parts.map(({ start, end }) => named.pieces.slice(start, end).flatMap((piece) => [...piece]));
  for (let i = 1; i < bytes.length; i++) {
    let cut = 0;
    while (cut < Math.min(3, bytes[i].length) && (bytes[i][cut] & 0xc0) === 0x80) cut++;
    bytes[i - 1].push(...bytes[i].splice(0, cut));
  }
  const texts = bytes.map((each) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(each)));
  if (texts.join("").trimStart() === named.text.trimStart()) return texts;
  // The text of some tokens is more than their bytes one after the other: these are words.
  return Promise.all(parts.map(async ({ start, end }) =>
    `${(await one("Decode", { tokens: ids.slice(start, end) }, signal)).text} `));
};

const spanView = (span, found) => {
  const words = make("h2", "", make("mark", "", shown(make("bdi"), span.text ?? found.ids.slice(span.start, span.end).join(" "))));
  const about = make("p", "soft", `${many(span.end - span.start, "token")}, ${many(span.count, "time")} in the corpus, log probability ${span.log_probability.toFixed(1)}`);
  if (!info.serves_documents) about.append(". This server gives no documents out.");
  return [words, about, ...span.sources.map((source) => article(source.document, `BM25 ${source.score.toFixed(2)}`))];
};

// ---------------------------------------------------------------- documents

const list = (documents, name) => {
  const turn = (words, by, able) => {
    const button = make("button", "plain", words);
    button.type = "button";
    button.disabled = !able;
    button.addEventListener("click", async () => {
      state.page += by;
      await run(name);
      at(name).focus();
    });
    return button;
  };
  const last = PAGE * state.page + Math.min(documents.length, PAGE);
  const here = documents.length ? `documents ${whole(PAGE * state.page + 1)} to ${whole(last)}` : "no more documents";
  const pages = make("nav", "pages", turn("Previous", -1, state.page > 0), turn("Next", 1, documents.length > PAGE), make("span", "soft", here));
  pages.setAttribute("aria-label", "pages");
  const shownOnes = documents.slice(0, PAGE).map((each) => article(each));
  return documents.length || state.page ? [...shownOnes, pages] : [];
};

// ---------------------------------------------------------------- what is asked

const write = () => {
  const parts = new URLSearchParams({ tab: state.tab });
  if (state.text) parts.set("text", state.text);
  if (state.query) parts.set("query", state.query);
  if (state.page) parts.set("page", String(state.page + 1));
  if (state.exact) parts.set("ids", state.exact.join(","));
  history.replaceState(null, "", `#${parts}`);
};
const read = () => {
  const parts = new URLSearchParams(location.hash.slice(1)), ids = parts.get("ids");
  state.tab = TABS.includes(parts.get("tab")) ? parts.get("tab") : "count";
  state.text = parts.get("text") || "";
  state.query = parts.get("query") || "";
  state.page = Math.max(0, (parseInt(parts.get("page"), 10) || 1) - 1);
  state.exact = ids && /^\d{1,10}(,\d{1,10})*$/.test(ids) ? ids.split(",").map(Number) : null;
  at("text").value = state.text;
  at("query").value = state.query;
};
const select = (name) => {
  state.tab = name;
  TABS.forEach((each) => {
    const tab = at(`tab-${each}`), chosen = each === name;
    tab.setAttribute("aria-selected", String(chosen));
    tab.tabIndex = chosen ? 0 : -1;
    at(each).hidden = !chosen;
  });
  document.querySelectorAll("[data-for]").forEach((each) => { each.hidden = each.dataset.for !== name; });
  at("text-field").hidden = name === "search";
  at("query-field").hidden = name !== "search";
  at("text-note").textContent = NOTES[name];
};
const fresh = () => {
  if (state.text !== at("text").value) state.exact = null;
  state.text = at("text").value;
  state.query = at("query").value;
  state.page = 0;
};
const append = async (ids) => {
  if (asking.next) asking.next.abort();
  const text = (await pieces(ids)).text;
  state.exact = ids;
  state.text = at("text").value = text;
  // A text area holds \n for \r\n; ids stay what they are.
  state.text = at("text").value;
  await run("next");
  const first = panels.next.result.querySelector("button.bar");
  if (first) first.focus();
};
const open = (name) => { select(name); state.page = 0; run(name); };

const login = (why) => {
  at("login").hidden = false;
  at("login-why").textContent = sessionStorage.getItem(KEY) ? why : "This server wants a token.";
  at("token").focus();
};
const hello = async (signal) => {
  try {
    info = await one("GetInfo", {}, signal);
  } catch (wrong) {
    if (wrong.name !== "AbortError") at("served").textContent = wrong.status === 401 ? "A token is needed." : wrong.message;
    if (wrong.status === 401) login(wrong.message);
    throw wrong;
  }
  stale = false;
  at("login").hidden = true;
  const kind = info.tokenizer_kind === "none" ? "no tokenizer" : info.tokenizer_kind === "bytes" ? "bytes as tokens" : `${info.tokenizer_kind} tokenizer`;
  const facts = [many(info.token_count, "token"), many(info.document_count, "document"), many(info.shards.length, "shard"), kind];
  at("served").textContent = [info.description, facts.join(" · ")].filter(Boolean).join(" — ");
  at("version").textContent = `gramdex ${info.version}.`;
  at("text-label").textContent = info.tokenizer_kind === "none" ? "Token ids" : "Text";
  if (partial(info.coverage)) at("served").append(` ${partial(info.coverage)}`);
};

at("ask").addEventListener("submit", (event) => { event.preventDefault(); fresh(); run(state.tab); });
let pause = 0;
const soon = () => {
  clearTimeout(pause);
  if (state.tab === "count" || state.tab === "next") pause = setTimeout(() => { fresh(); run(state.tab); }, PAUSE);
};
at("text").addEventListener("input", soon);
at("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); at("ask").requestSubmit(); }
});
["bars", "min-length", "keep-all", "window"].forEach((id) => {
  at(id).addEventListener("change", () => { fresh(); run(state.tab); });
});
document.querySelector("[role=tablist]").addEventListener("click", (event) => {
  const tab = event.target.closest("[role=tab]");
  if (tab) { fresh(); open(tab.getAttribute("aria-controls")); }
});
document.querySelector("[role=tablist]").addEventListener("keydown", (event) => {
  const here = TABS.indexOf(state.tab), last = TABS.length - 1;
  const to = { ArrowRight: here === last ? 0 : here + 1, ArrowLeft: here ? here - 1 : last, Home: 0, End: last }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  fresh();
  open(TABS[to]);
  at(`tab-${TABS[to]}`).focus();
});
at("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, at("token").value);
  at("token").value = "";
  try { await hello(); } catch { return; }
  run(state.tab);
  at(state.tab === "search" ? "query" : "text").focus();
});
const begin = async () => {
  read();
  select(state.tab);
  try { if (!info) await hello(); } catch { return; }
  run(state.tab);
};
window.addEventListener("hashchange", begin);
begin();
