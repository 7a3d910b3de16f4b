/** A run in a thread of its own, so that the page never waits for it. */

import { Host } from "./host.js";

const host = new Host((answer) => postMessage(answer));
addEventListener("message", ({ data }) => host.receive(data));
