// Asking the server that served the page.

const SECONDS = 30;
const USUAL = "change it to what was expected";

// An error of the server, in words.
class Refused extends Error {
  constructor(error) {
    const expected = error.expected ? `; expected ${error.expected}` : "";
    const remedy = error.remedy && error.remedy !== USUAL ? `. Remedy: ${error.remedy}` : "";
    super(`${error.thing}: ${error.found}${expected}${remedy}.`);
    this.status = error.status;
  }
}
// The messages of an answer; an error where the last of them is one.
export const post = async (method, request, known, signal) => {
  const headers = { "content-type": "application/json", "x-timeout-seconds": String(SECONDS) };
  if (known) headers.authorization = `Bearer ${known}`;
  let text;
  try {
    const answer = await fetch(`v1/${method}`, { method: "POST", headers, body: JSON.stringify(request), signal });
    text = await answer.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server cannot be reached.");
  }
  let messages = [];
  try {
    messages = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  } catch { /* told below */ }
  if (!messages.length) throw new Error("What came is no answer of this server.");
  const wrong = messages.find((message) => message.error);
  if (wrong) throw new Refused(wrong.error);
  return messages;
};
