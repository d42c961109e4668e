// Shows what is new in the chat by itself, and sends with Ctrl-Enter. Without this script the pages work all the same.
"use strict";
const feed = document.getElementById("feed");
const write = document.getElementById("write");
const text = document.getElementById("text");
const EVERY = 3000;
const known = new Map([...feed.children].map((child) => [child.id, child.outerHTML]));

text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); write.requestSubmit(); }
});

// What is typed and not sent outlives a reload by mistake.
const draft = `draft ${location.pathname}`;
if (!text.value) text.value = sessionStorage.getItem(draft) || "";
text.addEventListener("input", () => sessionStorage.setItem(draft, text.value));
write.addEventListener("submit", () => sessionStorage.removeItem(draft));

// Somebody is filling in a form of this message.
function inUse(child) {
  const typed = [...child.querySelectorAll("textarea, input:not([type=hidden])")].some((field) => field.value !== field.defaultValue);
  return typed || child.contains(document.activeElement) || Boolean(child.querySelector(".controls details[open]"));
}

function unfoldAsBefore(before, now) {
  const folds = before.querySelectorAll("details");
  now.querySelectorAll("details").forEach((fold, place) => { if (folds[place]) fold.open = folds[place].open; });
}

function show(fresh) {
  const atEnd = window.innerHeight + window.scrollY >= document.documentElement.scrollHeight - 80;
  const ids = new Set(fresh.map((child) => child.id));
  for (const child of [...feed.children]) if (!child.id.startsWith("m-") && !ids.has(child.id)) child.remove();
  let last = null;
  let grew = false;
  for (const child of fresh) {
    const html = child.outerHTML;
    const there = document.getElementById(child.id);
    if (!there) {
      if (last) last.after(child); else feed.prepend(child);
      grew = true;
      last = child;
    } else {
      last = there;
      if (known.get(child.id) === html) continue;
      if (inUse(there)) continue;
      unfoldAsBefore(there, child);
      there.replaceWith(child);
      last = child;
    }
    known.set(child.id, html);
  }
  if (grew && atEnd) write.scrollIntoView({ block: "end" });
}

async function look() {
  if (document.visibilityState === "visible") {
    try {
      const answer = await fetch(feed.dataset.source, { redirect: "error" });
      if (answer.ok) show([...new DOMParser().parseFromString(await answer.text(), "text/html").body.children]);
    } catch { /* Clew restarts, or the network is gone: the next look tells. */ }
  }
  setTimeout(look, document.getElementById("busy") ? EVERY / 3 : EVERY);
}

if (feed.dataset.source) {
  // A channel begins at its end; a thread at what it is about.
  if ("newest" in feed.dataset && !location.hash) write.scrollIntoView({ block: "end" });
  setTimeout(look, document.getElementById("busy") ? EVERY / 3 : EVERY);
}
