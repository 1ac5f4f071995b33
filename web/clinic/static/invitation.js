// The button that prints the invitation.

document.getElementById("print").addEventListener("click", () => print());
