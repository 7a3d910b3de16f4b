// The notebook's own sound for companion.vision.browser.Player: it comes from Python, and only its volume is set here.

function render({ model, el }) {
  const player = document.createElement("audio");
  player.controls = true;
  player.loop = true;
  const bytes = model.get("sound");
  const address = URL.createObjectURL(new Blob([bytes], { type: "audio/wav" }));
  player.src = address;
  const turn = () => {
    player.volume = Math.min(1, Math.max(0, model.get("factor")));
  };
  model.on("change:factor", turn);
  turn();
  el.append(player);
  return () => {
    model.off("change:factor", turn);
    player.pause();
    URL.revokeObjectURL(address);
  };
}

export default { render };
