// Goes on when the guard has written the way, and says so when that takes too long.

const EVERY_MS = 250;
const LATE_MS = 120_000;

function look() {
  const way = document.createElement("script");
  way.src = `go.js?${performance.now()}`;
  way.onload = () => way.remove();
  way.onerror = () => { way.remove(); setTimeout(look, EVERY_MS); };
  document.head.append(way);
}

look();
setTimeout(() => {
  document.querySelector(".waiting").hidden = true;
  document.querySelector(".late").hidden = false;
  document.querySelector(".bar").hidden = true;
}, LATE_MS);
for (const kind of ["contextmenu", "dragstart", "selectstart"]) addEventListener(kind, (event) => event.preventDefault());
