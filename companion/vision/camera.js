// The browser's camera for companion.vision.browser.BrowserCamera. Frames go to the Python this page belongs to, and nowhere
// else: nothing is loaded from any address, and nothing is kept.

const TROUBLES = {
  NotAllowedError: "The browser may not use the camera: allow it beside the page's address, then press Start.",
  SecurityError: "The browser may not use the camera: allow it beside the page's address, then press Start.",
  NotFoundError: "There is no camera here: plug one in, then press Start.",
  OverconstrainedError: "There is no camera here: plug one in, then press Start.",
  NotReadableError: "The camera is busy: close the program or page that uses it, then press Start.",
  AbortError: "The camera is busy: close the program or page that uses it, then press Start.",
};
const NO_CAMERAS =
  "This page may not ask for a camera: open it at https:// or at localhost, in a browser of today.";

function render({ model, el }) {
  const root = document.createElement("div");
  const video = document.createElement("video");
  const button = document.createElement("button");
  const words = document.createElement("p");
  video.muted = true;
  video.playsInline = true;
  video.setAttribute("aria-label", "what the camera sees, mirrored");
  video.style.cssText = "width: 320px; max-width: 100%; transform: scaleX(-1); display: none";
  words.setAttribute("role", "status");
  root.append(video, button, words);
  el.append(root);
  const canvas = document.createElement("canvas");
  let stream = null;
  let waiting = false; // for Python to have taken the last frame
  let begun = 0; // counts starts, so that a late answer to an old one is dropped

  function say(state, sentence) {
    button.textContent = state === "running" ? "Stop" : "Start";
    button.disabled = state === "asking";
    words.textContent = sentence;
    video.style.display = state === "running" ? "block" : "none";
    model.set("state", state);
    model.set("trouble", state === "trouble" ? sentence : "");
    model.save_changes();
  }

  function release() {
    begun += 1;
    if (stream) stream.getTracks().forEach((track) => track.stop());
    stream = null;
    video.srcObject = null;
  }

  function stop() {
    release();
    say("stopped", "The camera is off.");
  }

  async function start() {
    release();
    const mine = begun;
    say("asking", "Waiting for the camera; the browser may ask you first.");
    if (!navigator.mediaDevices?.getUserMedia) return say("trouble", NO_CAMERAS);
    try {
      const found = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { width: { ideal: model.get("width") }, facingMode: "user" },
      });
      if (mine !== begun) return found.getTracks().forEach((track) => track.stop());
      stream = found;
      stream.getVideoTracks()[0].addEventListener("ended", () => {
        release();
        say("trouble", "The camera has stopped: is it still plugged in? Then press Start.");
      });
      video.srcObject = stream;
      await video.play();
    } catch (error) {
      if (mine !== begun) return;
      release();
      return say("trouble", TROUBLES[error.name] ?? `The camera cannot be opened (${error.name}): try another browser.`);
    }
    waiting = false;
    say("running", "The camera is on. Its pictures go to this notebook's Python and nowhere else.");
    send(mine);
  }

  // One frame at a time: the next is taken once Python has the last, so that a slow one never lags behind.
  function send(mine) {
    if (mine !== begun || !stream) return;
    if (waiting || !video.videoWidth) return setTimeout(() => send(mine), 10);
    const scale = Math.min(1, model.get("width") / video.videoWidth);
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height); // as it sees, unmirrored
    const taken = performance.now() / 1000;
    waiting = true;
    canvas.toBlob(
      async (blob) => {
        const bytes = await blob.arrayBuffer();
        if (mine === begun) model.send({ kind: "frame", seconds: taken }, undefined, [bytes]);
      },
      "image/jpeg",
      0.85,
    );
    setTimeout(() => send(mine), 1000 / model.get("rate"));
  }

  const heard = (message) => {
    if (message.kind === "taken") waiting = false;
    if (message.kind === "stop" && stream) stop();
    if (message.kind === "start") start();
  };
  model.on("msg:custom", heard);
  button.addEventListener("click", () => (stream ? stop() : start()));
  button.textContent = "Start";
  words.textContent = "The camera is off. Press Start to use it; its pictures go to this notebook's Python alone.";
  return () => {
    release();
    model.off("msg:custom", heard);
  };
}

export default { render };
