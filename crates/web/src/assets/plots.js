// Draws the plots that the server has put into the page anew: finer, in the zone of the browser, with a cursor that is moved by
// the pointer or by arrow keys, and said. What comes from the server is numbers, or markup that it escapes.
"use strict";
(() => {
  const here = new URL(document.currentScript.src);
  const two = (number) => String(number).padStart(2, "0");
  const local = (at_s) => {
    const at = new Date(at_s * 1000);
    return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}:${two(at.getMinutes())}`;
  };
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  // times of the server are in UTC
  const localize = (element) => {
    element.querySelectorAll("time[datetime]").forEach((time) => {
      time.textContent = local(Date.parse(time.dateTime) / 1000);
    });
    element.querySelectorAll("[data-is=zone]").forEach((note) => {
      note.textContent = `Times are in the zone of this browser${zone ? `, ${zone}` : ""}.`;
    });
  };
  localize(document);

  // uPlot, once it is needed
  let loading;
  const library = () => {
    loading ||= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = new URL("uplot.js", here).href;
      script.addEventListener("load", resolve);
      script.addEventListener("error", reject);
      document.head.append(script);
    });
    return loading;
  };

  const style = (element, name) => getComputedStyle(element).getPropertyValue(name).trim();
  const faint = (color) => (/^#[0-9a-f]{6}$/i.test(color) ? `${color}2e` : color);

  // The series of one figure as columns: times in the middle of what they stand for, and for each series its lowest, highest
  // and mean. A row without values is a gap.
  const gather = async (figure, base) => {
    const keys = [...figure.querySelectorAll(".keys li")];
    const answers = new Map();
    for (const key of keys) {
      const address = new URL(key.dataset.src, base).href;
      if (!answers.has(address)) {
        const answer = await fetch(address);
        if (!answer.ok) throw new Error(String(answer.status));
        answers.set(address, await answer.json());
      }
    }
    const tables = [];
    const shown = [];
    for (const key of keys) {
      const { series } = answers.get(new URL(key.dataset.src, base).href);
      const found = series.find((one) => one.source === key.dataset.source);
      if (!found) continue;
      tables.push([found.at_s.map((at, row) => at + found.span_s[row] / 2), found.lowest, found.highest, found.mean]);
      shown.push(key);
    }
    return { data: tables.length > 0 ? uPlot.join(tables) : [[]], keys: shown };
  };

  const build = (figure, section, { data, keys }) => {
    const place = figure.querySelector(".drawing");
    const readout = figure.querySelector("[data-is=readout]");
    const { title, unit, decimals } = figure.dataset;
    const [from, to] = [Number(section.dataset.from), Number(section.dataset.to)];
    const outages = section.dataset.outages.split(" ").filter(Boolean).map((part) => part.split("-").map(Number));
    const number = (value) => String(Number(value.toFixed(Number(decimals))));
    const names = keys.map((key) => key.querySelector("[data-is=label]").textContent);

    // what stands at a place, in words
    const said = (at) => {
      const parts = names.map((name, one) => {
        const [low, high, mean] = [1, 2, 3].map((column) => data[3 * one + column][at]);
        if (mean === null) return `${name}: no data`;
        if (mean === undefined) return null;
        const range = number(low) === number(high) ? "" : ` (${number(low)} to ${number(high)})`;
        return `${name} ${number(mean)} ${unit}${range}`;
      });
      return `${local(data[0][at])}: ${parts.filter(Boolean).join("; ")}`;
    };

    const axis = () => ({
      stroke: style(figure, "--soft"),
      grid: { stroke: style(figure, "--grid"), width: 1 },
      ticks: { show: false },
      font: "12px system-ui, sans-serif",
    });
    const options = () => {
      const series = [{}];
      const bands = [];
      keys.forEach((key, one) => {
        const stroke = style(key, "--stroke");
        const base = 3 * one;
        series.push({ stroke: null, width: 0, points: { show: false } }, { stroke: null, width: 0, points: { show: false } });
        const dash = key.classList.contains("estimated") ? [6, 4] : undefined;
        series.push({ stroke, width: 1.5, dash, label: names[one], points: { size: 4, fill: stroke } });
        bands.push({ series: [base + 2, base + 1], fill: faint(stroke) });
      });
      const days = to - from > 3 * 86400;
      const stamps = (u, splits, _axis, _space, step) =>
        splits.map((at) => {
          const text = local(at);
          if (step >= 86400 * 28) return text.slice(0, 7);
          return step >= 86400 || (days && text.endsWith("00:00")) ? text.slice(5, 10) : text.slice(11);
        });
      return {
        width: place.clientWidth,
        height: 180,
        legend: { show: false },
        scales: {
          x: { time: true, range: [from, to] },
          // as in the drawing of the server
          y: { range: [Number(figure.dataset.low), Number(figure.dataset.high)] },
        },
        padding: [8, 8, 0, 0],
        axes: [{ ...axis(), values: stamps, space: 64, size: 26, gap: 4 }, { ...axis(), size: 46, gap: 4 }],
        series,
        bands,
        cursor: { x: true, y: false, drag: { x: false, y: false, setScale: false }, points: { show: false } },
        hooks: {
          drawAxes: [(u) => {
            u.ctx.save();
            u.ctx.fillStyle = style(figure, "--away");
            for (const [begin, end] of outages) {
              if (begin >= to || end <= from) continue;
              const left = u.valToPos(Math.max(begin, from), "x", true);
              const right = u.valToPos(Math.min(end, to), "x", true);
              u.ctx.fillRect(left, u.bbox.top, Math.max(right - left, 1), u.bbox.height);
            }
            u.ctx.restore();
          }],
          setCursor: [(u) => {
            if (u.cursor.idx !== null && u.cursor.idx !== undefined && data[0].length > 0) show(u.cursor.idx);
            else readout.textContent = "";
          }],
        },
      };
    };

    let at = data[0].length - 1;
    const show = (index) => {
      at = index;
      readout.textContent = said(at);
      place.setAttribute("aria-valuenow", String(at));
      place.setAttribute("aria-valuetext", readout.textContent);
    };
    let plot;
    const draw = () => {
      plot?.destroy();
      place.replaceChildren();
      plot = new uPlot(options(), data, place);
    };
    draw();
    // a slider: screen readers say where it stands, and pass arrow keys on to it
    place.tabIndex = 0;
    place.setAttribute("role", "slider");
    place.setAttribute("aria-label", `${title}: point in time`);
    place.setAttribute("aria-valuemin", "0");
    place.setAttribute("aria-valuemax", String(Math.max(data[0].length - 1, 0)));
    if (data[0].length > 0) show(at);
    readout.textContent = "";
    const go = (index) => {
      const next = Math.min(Math.max(index, 0), data[0].length - 1);
      plot.setCursor({ left: plot.valToPos(data[0][next], "x"), top: 0 }, false);
      show(next);
    };
    place.addEventListener("focus", () => data[0].length > 0 && place.matches(":focus-visible") && go(at));
    place.addEventListener("blur", () => plot.setCursor({ left: -10, top: -10 }));
    place.addEventListener("keydown", (event) => {
      const tenth = Math.max(Math.round(data[0].length / 10), 1);
      const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -tenth, PageUp: tenth };
      const to = event.key === "Home" ? 0 : event.key === "End" ? data[0].length - 1 : at + (steps[event.key] ?? NaN);
      if (Number.isNaN(to) || data[0].length === 0 || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      go(to);
    });
    new ResizeObserver(() => {
      if (place.clientWidth > 0 && place.clientWidth !== plot.width) plot.setSize({ width: place.clientWidth, height: 180 });
    }).observe(place);
    for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) matchMedia(query).addEventListener("change", draw);
  };

  const hydrate = async (section, base) => {
    const figures = [...section.querySelectorAll(".plot")];
    if (figures.length === 0) return;
    await library();
    for (const figure of figures) {
      try {
        build(figure, section, await gather(figure, base));
      } catch (error) {
        // the drawing of the server stays, and so does the table
        figure.dataset.failed = String(error);
      }
    }
    section.dataset.ready = "";
  };

  const section = document.getElementById("plots");
  if (section) hydrate(section, location.href);

  // the page of a UPS takes in its plots of a day
  const teaser = document.getElementById("teaser");
  const take_in = async () => {
    const address = new URL(teaser.dataset.page, location.href).href;
    try {
      const answer = await fetch(address);
      const plots = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("plots");
      if (!answer.ok || !plots) throw new Error("no plots");
      plots.querySelectorAll(":scope > .note").forEach((part) => part.remove());
      plots.querySelectorAll("a[href]").forEach((link) => {
        link.href = new URL(link.getAttribute("href"), address).href;
      });
      teaser.replaceChildren(document.adoptNode(plots));
      localize(teaser);
      await hydrate(plots, address);
    } catch {
      teaser.remove();
    }
  };
  // on a phone they would push all else away: there is the tab
  if (teaser && matchMedia("(min-width: 44.0625rem)").matches) take_in();
  else teaser?.remove();
})();
