// KaTeX as this book wants it. Each line of the input asks for one equation, each line of the output answers.
import { createInterface } from "node:readline";
import katex from "katex";

// What is not trusted would be shown in red, as it was written.
function trust({ command }) {
  if (command !== "\\htmlClass") throw new Error(`${command} is not for this book`);
  return true;
}

// Classes are wanted, and \\ begins a line; whatever else is not LaTeX is an error.
const WANTED = ["htmlExtension", "newLineInDisplayMode"];
const strict = (code) => (WANTED.includes(code) ? "ignore" : "error");

// The equation as it was written, which nobody sees; a search would find it there once more.
const WRITTEN = /<annotation .*?<\/annotation>/s;

function answer({ tex, ...options }) {
  try {
    const html = katex.renderToString(tex, { ...options, output: "htmlAndMathml", throwOnError: true, trust, strict });
    return { html: html.replace(WRITTEN, "") };
  } catch (error) {
    return { error: error.message };
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
}
