// Sends the paste or a dropped file as text and opens the verdict. Without this script the form works all the same.
"use strict";
const form = document.getElementById("triage");
const logs = document.getElementById("logs");
const status = document.getElementById("status");
const buttons = form.querySelectorAll("button");
let file = null;

function say(text, bad) { status.textContent = text; status.className = bad ? "bad" : ""; }

function choose(chosen) {
  file = chosen;
  logs.value = "";
  logs.placeholder = `${chosen.name} (${Math.ceil(chosen.size / 1024)} KiB) is ready. Press the button.`;
}

document.getElementById("file").addEventListener("change", (event) => { if (event.target.files[0]) choose(event.target.files[0]); });
logs.addEventListener("input", () => { file = null; });
for (const name of ["dragenter", "dragover"]) logs.addEventListener(name, (event) => { event.preventDefault(); logs.classList.add("over"); });
for (const name of ["dragleave", "drop"]) logs.addEventListener(name, () => logs.classList.remove("over"));
logs.addEventListener("drop", (event) => { if (event.dataTransfer.files[0]) { event.preventDefault(); choose(event.dataTransfer.files[0]); } });

form.addEventListener("submit", async (event) => {
  const opens = event.submitter?.value === "open";
  // An incident is opened by the form itself, unless its lines are in a file.
  if (opens && !file && logs.value.trim()) return;
  event.preventDefault();
  if (!file && !logs.value.trim()) { say("Paste at least one log line, or drop a file.", true); return; }
  buttons.forEach((button) => { button.disabled = true; });
  say("Reading …", false);
  const title = document.getElementById("title").value.trim();
  const service = document.getElementById("service").value.trim();
  try {
    const plain = file && !title && !service && !opens;
    const body = plain ? file : JSON.stringify({ logs: file ? await file.text() : logs.value, title: title || null, service: service || null });
    const response = await fetch(opens ? "/incidents" : "/triage", { method: "POST", headers: { "content-type": plain ? "text/plain" : "application/json" }, body });
    const answer = await response.json();
    if (!response.ok) { say(answer.detail || answer.title, true); return; }
    location.href = opens ? `/i/${answer.id}` : `/t/${answer.replay_id}`;
  } catch (error) {
    say(`Clew could not be reached: ${error.message}`, true);
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
});
