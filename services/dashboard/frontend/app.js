// What pages do beyond HTML: live updates, drafts, keyboard, countdowns. Every page works without it.
(function () {
  "use strict";
  const body = document.body;
  const $ = (selector, from) => (from || document).querySelector(selector);
  const $$ = (selector, from) => Array.from((from || document).querySelectorAll(selector));
  const csrf = body.dataset.csrf;
  // Every word that this script shows; the page hands them over in the reader's language.
  const texts = JSON.parse(body.dataset.texts || "{}");
  const taskPage = $("[data-task]");
  const form = $("[data-form]");

  // --- Theme -------------------------------------------------------------------------------------------------------
  const root = document.documentElement;
  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  systemDark.addEventListener("change", () => {
    if (!localStorage.getItem("theme")) root.dataset.theme = systemDark.matches ? "dark" : "light";
  });
  const actions = {
    theme() {
      root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
      localStorage.setItem("theme", root.dataset.theme);
    },
    keys() {
      $("#keys").showModal();
    },
  };
  const here = $("[data-here]");
  if (here) {
    const theme = $("select", here);
    here.hidden = false;
    theme.value = localStorage.getItem("theme") || "";
    theme.addEventListener("change", () => {
      if (theme.value) localStorage.setItem("theme", theme.value);
      else localStorage.removeItem("theme");
      root.dataset.theme = theme.value || (systemDark.matches ? "dark" : "light");
    });
  }
  for (const button of $$("[data-action]")) {
    button.hidden = false;
    button.addEventListener("click", () => actions[button.dataset.action]());
  }

  // --- Times: the countdown to a deadline, and moments in the browser's zone where the person has none ---------------
  const zone = body.dataset.zone || Intl.DateTimeFormat().resolvedOptions().timeZone;
  const language = root.lang;
  function duration(seconds) {
    let rest = Math.floor(seconds);
    const parts = [];
    for (const [size, unit] of texts.units) {
      const count = Math.floor(rest / size);
      rest %= size;
      if (count) parts.push(`${count} ${unit}`);
    }
    return parts.slice(0, 2).join(" ") || texts.moment;
  }
  function tick() {
    for (const due of $$("time[data-due]")) {
      const left = (Date.parse(due.dateTime) - Date.now()) / 1000;
      due.classList.toggle("badge-bad", left < 0);
      due.classList.toggle("badge-warn", left >= 0 && left < 1800);
      const label = due.dataset.due ? `${due.dataset.due}: ` : "";
      const text = label + (left >= 0 ? texts.left : texts.over).replace("{time}", duration(Math.abs(left)));
      if (due.textContent !== text) due.textContent = text;
    }
  }
  function localise(from) {
    for (const time of $$("time[data-moment]", from)) {
      const at = new Date(time.dateTime);
      const today = at.toDateString() === new Date().toDateString();
      const day = today ? {} : { day: "numeric", month: "short" };
      time.textContent = at.toLocaleString(language, { ...day, hour: "2-digit", minute: "2-digit" });
      time.title = at.toLocaleString(language, { dateStyle: "full", timeStyle: "long" });
      time.removeAttribute("data-moment");
    }
  }
  localise();
  tick();
  setInterval(tick, 1000);
  document.addEventListener("htmx:after:swap", () => {
    keepPicked();
    localise();
    tick();
    markFields();
    placeCursor();
  });
  if (!body.dataset.zone) {
    for (const field of $$("[data-zone-field]")) field.value = zone;
    for (const name of $$("[data-zone-name]")) name.textContent = zone;
  }

  // --- Live: what happened elsewhere is fetched again and morphed into the page ---------------------------------------
  const announce = (text) => {
    const live = $("#live");
    if (live) live.textContent = text;
  };
  function sessionEnded() {
    $("#session").hidden = false;
  }
  let refreshing = false;
  let again = false;
  async function refreshList() {
    const list = $("[data-list]");
    if (!list) return;
    if (refreshing) {
      again = true;
      return;
    }
    refreshing = true;
    const before = new Set($$("[data-row]", list).map((row) => row.id));
    const size = Math.max(before.size, 50);
    await htmx.ajax("GET", `${list.dataset.list}&size=${size}`, { source: list, target: list, swap: "innerMorph" });
    const fresh = $$("[data-row]", list).filter((row) => !before.has(row.id));
    for (const row of fresh) row.classList.add("row-new");
    if (fresh.length) announce(fresh.map((row) => $(".font-medium", row).textContent).join(", "));
    refreshing = false;
    if (again) {
      again = false;
      refreshList();
    }
  }
  async function refreshCounts() {
    const answer = await fetch("/counts", { headers: { "HX-Request": "true" } }).catch(() => null);
    if (!answer || !answer.ok) return answer && answer.status === 401 ? sessionEnded() : undefined;
    const counts = document.createElement("template");
    counts.innerHTML = await answer.text();
    for (const count of $$("[data-name]", counts.content)) {
      for (const shown of $$(`[data-count="${count.dataset.name}"]`)) shown.textContent = count.textContent;
      if (count.dataset.name === "inbox") {
        const title = document.title.replace(/^\(\d+\) /, "");
        document.title = (count.textContent ? `(${count.textContent}) ` : "") + title;
      }
    }
  }
  async function refreshTask() {
    if (!taskPage) return;
    const status = $("#actions") && $("#actions").dataset.status;
    const mine = $("#actions") && $("#actions").dataset.mine;
    await htmx.ajax("GET", `/tasks/${taskPage.dataset.task}/state`, { source: taskPage, target: taskPage, swap: "none" });
    const now = $("#actions");
    if (form && now && (now.dataset.status !== status || now.dataset.mine !== mine)) becameMine(now);
  }
  function becameMine(now) {
    if (now.dataset.mine === "yes") saveSoon();
  }
  async function refreshFeed() {
    const feed = $("[data-reload]");
    if (!feed) return;
    await htmx.ajax("GET", location.pathname, { source: feed, target: feed, swap: "outerMorph", select: "#feed" });
  }
  // A run is looked at again when one of the tasks changes that its page shows, unless somebody types there.
  async function refreshRun() {
    const run = $("[data-run]");
    if (!run || $("details[open]")) return;
    await htmx.ajax("GET", location.pathname, { source: run, target: run, swap: "outerMorph", select: "#run" });
  }
  let countTimer = null;
  function refreshCountsSoon() {
    clearTimeout(countTimer);
    countTimer = setTimeout(() => refreshCounts().then(refreshFeed), 1200);
    refreshCounts();
  }
  function lookAgain() {
    refreshList();
    refreshTask();
    refreshRun();
    refreshCountsSoon();
  }
  function listen() {
    const source = new EventSource("/live");
    let opened = false;
    source.addEventListener("open", () => {
      $("#offline").hidden = true;
      if (opened) lookAgain();
      opened = true;
    });
    source.addEventListener("error", () => {
      $("#offline").hidden = false;
      if (source.readyState === EventSource.CLOSED) {
        fetch("/counts", { headers: { "HX-Request": "true" } })
          .then((answer) => (answer.status === 401 ? sessionEnded() : setTimeout(listen, 3000)))
          .catch(() => setTimeout(listen, 3000));
      }
    });
    source.addEventListener("session", () => {
      source.close();
      sessionEnded();
    });
    source.addEventListener("hello", () => performance.mark("orkestra:live"));
    source.addEventListener("reset", lookAgain);
    source.addEventListener("task", (message) => {
      const news = JSON.parse(message.data);
      if (document.hidden) return waitUntilSeen(news);
      refreshList();
      refreshCountsSoon();
      tellHere(news);
      if (news.workflow_id && news.workflow_id === ($("[data-run]") || document.body).dataset.run) refreshRun();
      if (taskPage && taskPage.dataset.task === news.task_id) refreshTask();
    });
    addEventListener("pagehide", () => source.close());
    addEventListener("pageshow", (event) => event.persisted && location.reload());
  }
  // A page that nobody looks at asks for its counts alone, soon and not all pages at once; the rest when it is seen.
  let unseen = false;
  let unseenTimer = null;
  function waitUntilSeen(news) {
    tellHere(news);
    unseen = true;
    if (!unseenTimer) unseenTimer = setTimeout(() => refreshCounts().then(() => (unseenTimer = null)), 500 + Math.random() * 3000);
  }
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !unseen) return;
    unseen = false;
    lookAgain();
  });
  // By choice, and only while no page of ours is looked at; the title alone, as the list shows it.
  function tellHere(news) {
    if (news.event !== "created" || !document.hidden || localStorage.getItem("notify") !== "yes") return;
    if (!("Notification" in window) || Notification.permission !== "granted" || news.actor === body.dataset.user) return;
    new Notification("Orkestra", { body: news.title, tag: news.task_id });
  }
  const notify = $("[data-notify]");
  if (notify && "Notification" in window) {
    const choice = $("[data-notify-choice]");
    notify.hidden = false;
    choice.checked = localStorage.getItem("notify") === "yes" && Notification.permission === "granted";
    choice.addEventListener("change", async () => {
      const allowed = choice.checked && (await Notification.requestPermission()) === "granted";
      choice.checked = allowed;
      localStorage.setItem("notify", allowed ? "yes" : "no");
    });
  }
  if (body.dataset.user) listen();

  // --- The form: conditional fields, sliders, rows --------------------------------------------------------------------
  function valueOf(name) {
    const inputs = $$(`[name="${CSS.escape(name)}"]`, form);
    if (!inputs.length) return null;
    const wrapper = inputs[0].closest("[data-field]");
    const kind = wrapper ? wrapper.dataset.kind : "text";
    if (["checkboxes", "multiselect", "file"].includes(kind)) return inputs.filter((input) => input.checked).map((input) => input.value);
    if (inputs[0].type === "radio") {
      const chosen = inputs.find((input) => input.checked);
      if (!chosen) return null;
      return kind === "boolean" ? chosen.value === "true" : kind === "rating" ? Number(chosen.value) : chosen.value;
    }
    if (inputs[0].type === "checkbox") return inputs[0].checked;
    const text = inputs[0].value;
    if (text.trim() === "") return null;
    return ["integer", "number", "slider"].includes(kind) && !Number.isNaN(Number(text)) ? Number(text) : text;
  }
  const isEmpty = (value) => value === null || value === "" || (Array.isArray(value) && !value.length);
  const same = (a, b) => a === b || (a !== null && b !== null && String(a) === String(b));
  // The value of an option is text here; held against a number it is one.
  const asNumber = (value) => (typeof value === "string" && value.trim() !== "" ? Number(value) : value);
  const asMoment = (value) => (/^\d{4}-\d\d-\d\dT/.test(value) ? Date.parse(value) : NaN);
  function less(a, b) {
    if (typeof a === "number" || typeof b === "number") {
      return typeof asNumber(a) === "number" && typeof asNumber(b) === "number" && asNumber(a) < asNumber(b);
    }
    if (typeof a !== "string" || typeof b !== "string") return false;
    const moments = [asMoment(a), asMoment(b)];
    return moments.some(Number.isNaN) ? a < b : moments[0] < moments[1];
  }
  function holds(condition, path) {
    if (condition.all) return condition.all.every((part) => holds(part, path));
    if (condition.any) return condition.any.some((part) => holds(part, path));
    if (condition.not) return !holds(condition.not, path);
    const value = shownValue(`${path}.${condition.field}`);
    if ("empty" in condition) return isEmpty(value) === condition.empty;
    if (condition.in) return condition.in.some((each) => same(each, value));
    const operand = ["equals", "gt", "lt"].map((word) => condition[word]).find((each) => each !== undefined);
    const isField = operand && typeof operand === "object";
    const other = isField ? shownValue(`${path}.${operand.field}`) : operand;
    if ("equals" in condition) return same(value, other);
    return "gt" in condition ? less(other, value) : less(value, other);
  }
  function shownValue(name) {
    const wrapper = $(`[data-field="${CSS.escape(name)}"]`, form);
    return wrapper && wrapper.hidden ? null : valueOf(name);
  }
  function markFields() {
    if (!form) return;
    const wrappers = $$("[data-visible-when],[data-required-when]", form);
    for (let round = 0; round < 3; round += 1) {
      for (const wrapper of wrappers) {
        const path = wrapper.dataset.field.replace(/\.[^.]*$/, "");
        if (wrapper.dataset.visibleWhen) wrapper.hidden = !holds(JSON.parse(wrapper.dataset.visibleWhen), path);
        if (wrapper.dataset.requiredWhen) {
          const required = holds(JSON.parse(wrapper.dataset.requiredWhen), path);
          for (const input of $$("input,textarea,select", wrapper)) input.setAttribute("aria-required", String(required));
          for (const mark of $$("[data-required-mark]", wrapper)) mark.hidden = !required;
        }
      }
    }
  }
  function addRow(button) {
    const rows = $(`[data-rows="${CSS.escape(button.dataset.addRow)}"]`, form);
    const taken = $$("[name]", rows).map((input) => Number(input.name.slice(button.dataset.addRow.length + 1).split(".")[0]));
    const position = String(Math.max(-1, ...taken.filter((each) => !Number.isNaN(each))) + 1);
    const row = document.createElement("div");
    row.className = "table-row-card";
    row.dataset.rowFields = "";
    row.append($("template", rows).content.cloneNode(true));
    for (const element of $$("*", row)) {
      for (const attribute of Array.from(element.attributes)) {
        if (attribute.value.includes("__row__")) {
          element.setAttribute(attribute.name, attribute.value.replaceAll("__row__", position));
        }
      }
    }
    rows.append(row);
    prepareSliders(row);
    const first = $("input,select,textarea", row);
    if (first) first.focus();
    saveSoon();
  }

  function removeRow(button) {
    const row = button.closest("[data-row-fields]");
    const next = row.nextElementSibling || row.parentElement.nextElementSibling;
    row.remove();
    markFields();
    saveSoon();
    const target = next && (next.matches("button") ? next : $("input,select,textarea,button", next));
    if (target) target.focus();
  }
  // A slider is a number with a range beside it: the number alone is sent, and may stay empty.
  function prepareSliders(from) {
    for (const range of $$("[data-slider]", from)) {
      const number = document.getElementById(range.dataset.slider);
      range.hidden = false;
      range.addEventListener("input", () => {
        number.value = range.value;
      });
      number.addEventListener("input", () => {
        if (number.value.trim() !== "" && !Number.isNaN(Number(number.value))) range.value = number.value;
      });
    }
  }
  function showMomentsHere() {
    for (const given of $$('[type="hidden"][name$=".given"]', form)) {
      const at = new Date(given.value);
      const input = form.elements[given.name.slice(0, -".given".length)];
      if (Number.isNaN(at.getTime()) || !input) continue;
      const here = new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString();
      input.value = here.slice(0, at.getMilliseconds() ? 23 : at.getSeconds() ? 19 : 16);
    }
  }

  // --- Drafts: kept by the room for the assignee, and by this tab until the room has them -----------------------------
  const draftKey = taskPage && `draft:${body.dataset.user}:${taskPage.dataset.task}`;
  const NOT_KEPT = new Set(["csrf", "request_id", "revision", "zone"]);
  const isSensitive = (name) => $$("[data-sensitive]", form).some((each) => `${name}.`.startsWith(`${each.dataset.field}.`));
  function typed() {
    return Array.from(new FormData(form)).filter(
      ([name, value]) => !NOT_KEPT.has(name) && typeof value === "string" && !isSensitive(name),
    );
  }
  function keepInTab() {
    sessionStorage.setItem(draftKey, JSON.stringify(typed()));
  }
  function restore() {
    const kept = sessionStorage.getItem(draftKey);
    if (!kept) return;
    const entries = JSON.parse(kept);
    for (const button of $$("[data-add-row]", form)) {
      const start = `${button.dataset.addRow}.`;
      const rows = entries.filter(([name]) => name.startsWith(start)).map(([name]) => Number(name.slice(start.length).split(".")[0]));
      const wanted = Math.max(-1, ...rows) + 1;
      const list = $(`[data-rows="${CSS.escape(button.dataset.addRow)}"]`, form);
      while ($$("[data-row-fields]", list).length < wanted) addRow(button);
    }
    const values = new Map();
    for (const [name, value] of entries) values.set(name, [...(values.get(name) || []), value]);
    for (const input of Array.from(form.elements)) {
      if (!input.name || NOT_KEPT.has(input.name) || input.type === "submit" || input.type === "hidden" || input.type === "file") continue;
      if (isSensitive(input.name)) continue;
      const given = values.get(input.name) || [];
      if (input.type === "checkbox" || input.type === "radio") input.checked = given.includes(input.value);
      else if (given.length) input.value = given[0];
    }
    if ($("#actions").dataset.mine === "yes") saveSoon();
  }
  const state = (text) => {
    const shown = $("#draft-state");
    if (shown && shown.textContent !== text) shown.textContent = text;
  };
  let saveTimer = null;
  function saveSoon() {
    if (!form || !draftKey) return;
    keepInTab();
    clearTimeout(saveTimer);
    saveTimer = setTimeout(save, 500);
  }
  function entriesOf(from) {
    return new URLSearchParams(Array.from(new FormData(from)).filter(([, value]) => typeof value === "string"));
  }
  async function save(leaving) {
    clearTimeout(saveTimer);
    saveTimer = null;
    if ($("#actions").dataset.mine !== "yes") return state(texts.kept_here);
    const sent = sessionStorage.getItem(draftKey);
    const entries = entriesOf(form);
    entries.delete("csrf");
    const answer = await fetch(`/tasks/${taskPage.dataset.task}/draft`, {
      method: "POST",
      body: entries,
      headers: { "X-CSRF-Token": csrf },
      keepalive: leaving === true,
      redirect: "manual",
    }).catch(() => null);
    if (answer && answer.status === 204) {
      if (sessionStorage.getItem(draftKey) === sent) sessionStorage.removeItem(draftKey);
      state(texts.kept);
    } else if (answer && answer.status === 401) {
      sessionEnded();
    } else {
      state(texts.kept_for_now);
    }
  }
  if (form) {
    if (!body.dataset.zone) showMomentsHere();
    restore();
    prepareSliders(form);
    markFields();
    form.addEventListener("input", (event) => {
      markFields();
      saveSoon();
    });
    form.addEventListener("change", markFields);
    form.addEventListener("click", (event) => {
      const button = event.target.closest("[data-add-row],[data-remove-row]");
      if (!button) return;
      event.preventDefault();
      if (button.dataset.addRow) addRow(button);
      else removeRow(button);
    });
    form.addEventListener("submit", (event) => {
      const keeps = event.submitter && event.submitter.dataset.keeps !== undefined;
      clearTimeout(saveTimer);
      if (keeps && sessionStorage.getItem(draftKey) && $("#actions").dataset.mine === "yes") {
        event.preventDefault();
        const again = event.submitter;
        save().then(() => {
          delete again.dataset.keeps;
          form.requestSubmit(again);
        });
        return;
      }
      if (!keeps) keepInTab();
    });
    addEventListener("pagehide", () => saveTimer && save(true));
    const wrong = $("#problem") || $("[aria-invalid=true]", form);
    if (wrong) wrong.focus();
  } else if (draftKey) {
    sessionStorage.removeItem(draftKey);
  }

  // --- Files: sent as soon as they are chosen; a file of a field becomes one of its choices ------------------------------
  function send(input, file, told) {
    return new Promise((resolve) => {
      const content = new FormData();
      content.append("csrf", csrf);
      if (input.dataset.upload) content.append("field", input.dataset.upload.slice(5));
      content.append("file", file);
      const request = new XMLHttpRequest();
      request.open("POST", `/tasks/${taskPage.dataset.task}/attachments`);
      request.setRequestHeader("X-CSRF-Token", csrf);
      request.upload.addEventListener("progress", (event) => {
        const share = event.lengthComputable ? Math.round((100 * event.loaded) / event.total) : 0;
        told.textContent = texts.sending.replace("{name}", file.name).replace("{share}", String(share));
      });
      request.addEventListener("loadend", () => resolve(request));
      request.send(content);
    });
  }
  async function upload(input) {
    const told = document.getElementById(`${input.id}-told`);
    const chosen = Array.from(input.files);
    const refused = [];
    input.setAttribute("aria-busy", "true");
    for (const file of chosen) {
      const answer = await send(input, file, told);
      if (answer.status === 401) sessionEnded();
      const list = input.dataset.upload && $(`[data-files="${CSS.escape(input.dataset.upload)}"]`);
      if (answer.status !== 200) refused.push(`${file.name}: ${answer.status >= 400 && answer.status < 500 ? answer.responseText : texts.not_sent}`);
      else if (list) list.insertAdjacentHTML("beforeend", answer.responseText);
    }
    input.removeAttribute("aria-busy");
    input.value = "";
    told.textContent = refused.length ? refused.join(" ") : texts.sent;
    told.classList.toggle("error", refused.length > 0);
    told.classList.toggle("text-soft", !refused.length);
    input.toggleAttribute("aria-invalid", false);
    if (refused.length) input.setAttribute("aria-invalid", "true");
    if (input.dataset.upload) saveSoon();
    await refreshTask();
  }
  for (const button of $$("[data-without-script]")) button.hidden = true;
  document.addEventListener("change", (event) => {
    const input = event.target.closest("[data-upload]");
    if (input && input.files.length) upload(input);
  });
  const done = new URLSearchParams(location.search).get("done");
  if (done) sessionStorage.removeItem(`draft:${body.dataset.user}:${done}`);
  for (const leaving of $$("[data-leaves]")) leaving.addEventListener("submit", () => sessionStorage.clear());

  // --- Choosing rows: what is ticked stays ticked while the list changes ------------------------------------------------
  const picked = new Set();
  const boxes = () => $$("[data-pick]");
  function tellPicked() {
    for (const told of $$("[data-picked]")) told.textContent = texts.picked.replace("{n}", String(picked.size));
  }
  function keepPicked() {
    const there = new Set(boxes().map((box) => box.dataset.pick));
    for (const id of Array.from(picked)) if (!there.has(id)) picked.delete(id);
    for (const box of boxes()) box.checked = picked.has(box.dataset.pick);
    tellPicked();
  }
  let lastBox = null;
  document.addEventListener("click", (event) => {
    const box = event.target.closest("[data-pick]");
    if (!box) return;
    if (event.shiftKey && lastBox) {
      const all = boxes();
      const ends = [all.indexOf(box), all.findIndex((each) => each.dataset.pick === lastBox)].sort((a, b) => a - b);
      for (const each of all.slice(Math.max(ends[0], 0), ends[1] + 1)) pick(each, box.checked);
    }
    lastBox = box.dataset.pick;
    pick(box, box.checked);
  });
  function pick(box, is) {
    box.checked = is;
    if (is) picked.add(box.dataset.pick);
    else picked.delete(box.dataset.pick);
    tellPicked();
  }
  function togglePick() {
    const box = $(`[data-pick="${CSS.escape(document.activeElement.id || row || "")}"]`);
    if (box) pick(box, !box.checked);
    return Boolean(box);
  }
  addEventListener("pageshow", () => boxes().forEach((box) => box.checked && pick(box, true)));
  // A popover closes when something else is looked at.
  document.addEventListener("click", (event) => {
    for (const open of $$("details[data-popover][open]")) if (!open.contains(event.target)) open.open = false;
  });

  // --- Small courtesies -----------------------------------------------------------------------------------------------
  document.addEventListener("change", (event) => {
    if (event.target.dataset.submit !== undefined) event.target.form.requestSubmit();
  });
  document.addEventListener("click", (event) => {
    const entry = event.target.closest("[data-read]");
    if (!entry || !entry.dataset.read) return;
    const read = new URLSearchParams({ notification_id: entry.dataset.read });
    fetch("/notifications/read", { method: "POST", body: read, headers: { "X-CSRF-Token": csrf }, keepalive: true, redirect: "manual" });
  });
  document.addEventListener("htmx:after:request", (event) => {
    const response = event.detail.ctx && event.detail.ctx.response;
    if (response && response.status === 401) sessionEnded();
  });

  // --- Keyboard: never while somebody types -----------------------------------------------------------------------------
  let row = null;
  function placeCursor() {
    if (row && !document.getElementById(row)) row = null;
  }
  function move(step) {
    const rows = $$("[data-row]");
    if (!rows.length) return;
    const now = rows.findIndex((each) => each === document.activeElement || (row && each.id === row));
    const next = rows[Math.min(Math.max(now + step, 0), rows.length - 1)];
    row = next.id;
    next.focus();
  }
  const press = (selector) => {
    const target = $(selector);
    if (target) target.click();
    return Boolean(target);
  };
  const focus = (selector) => {
    const target = $(selector);
    if (target) target.focus();
    return Boolean(target);
  };
  const keys = {
    "?": () => actions.keys(),
    j: () => move(1),
    k: () => move(-1),
    "/": () => focus("[data-filter]"),
    c: () => press("[data-key=c]"),
    r: () => press("[data-key=r]"),
    a: () => press("button[name=outcome][value=approve]"),
    x: () => togglePick() || press("button[name=outcome][value=reject]"),
    f: () => press("[data-key=f]") && focus("[data-popover][open] select, [data-popover][open] input"),
    e: () => focus("[data-form] .field input:not([type=hidden]), [data-form] .field textarea, [data-form] .field select"),
    d: () => press("[data-key=d]"),
    m: () => focus("#comment"),
    n: () => press("[data-key=n]") || (taskPage && (location.href = "/inbox")),
  };
  const places = { i: "/inbox", w: "/workflows", n: "/notifications", f: "/figures", s: "/settings" };
  let going = 0;
  document.addEventListener("keydown", (event) => {
    const inField = event.target.closest("input:not([type=checkbox]):not([type=radio]),textarea,select,[contenteditable]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const ours = event.target.closest("form");
      if (ours && ours !== form && ours.dataset.kept) ours.requestSubmit();
      else if (form && press("[data-key=complete]")) event.preventDefault();
      return;
    }
    const popover = event.target.closest("details[data-popover][open]");
    if (event.key === "Escape" && popover) {
      popover.open = false;
      return $("summary", popover).focus();
    }
    if (event.key === "Escape" && inField) return event.target.blur();
    if (inField || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (event.key === "g") {
      going = Date.now();
      return;
    }
    if (Date.now() - going < 1500 && places[event.key]) {
      location.href = places[event.key];
      return;
    }
    going = 0;
    if (keys[event.key]) {
      event.preventDefault();
      keys[event.key]();
    }
  });
})();
