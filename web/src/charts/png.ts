import { lastOf } from "../api/client";
import type { CountryRow, CoverageRow, Status } from "../api/types";
import { STATUS } from "../state";
import { count, dateTime, rate, utc } from "../text/format";
import { t } from "../text/strings";
import { type Begun, gapsOf as gapsIn, rangesOf } from "./coverage";
import { type HeatFrame, cellOf } from "./heat";
import { frameOf, gapsOf, type Line, pathOf, runs, yOf } from "./lines";
import { lookOf, worldNow } from "./map";
import type { PlotProps } from "./plot";
import { heightOf, ticksOf } from "./scale";
import type { Years } from "./years";

// A chart as a picture to be sent on: what it shows, over it its title and unit, under it its key, as of when, and whether
// it is made up. Drawn anew, since a picture of the page's own elements would need what its policy forbids.
const WIDTH = 1200,
	LEFT = 64,
	RIGHT = 24,
	TOP = 64,
	BOTTOM = 56;

export interface Picture {
	title: string;
	unit: string;
	to: number; // as of
	height: number;
	draw: (s: Sheet) => void;
}

export interface Sheet {
	c: CanvasRenderingContext2D;
	ink: (name: string) => string;
	box: { x: number; y: number; w: number; h: number }; // what the axes enclose
}

type Look = { align?: CanvasTextAlign; ink?: string; font?: string };

function words(s: Sheet, text: string, x: number, y: number, look: Look = {}): number {
	s.c.font = `${look.font ?? "13px"} ${getComputedStyle(document.body).fontFamily}`;
	s.c.textAlign = look.align ?? "left";
	s.c.fillStyle = s.ink(look.ink ?? "--ink2");
	s.c.fillText(text, x, y);
	return s.c.measureText(text).width;
}

function stroke(s: Sheet, ink: string, width: number, dash: number[], path: Path2D): void {
	s.c.strokeStyle = s.ink(ink);
	s.c.lineWidth = width;
	s.c.setLineDash(dash);
	s.c.stroke(path);
	s.c.setLineDash([]);
}

function fill(s: Sheet, ink: string, x: number, y: number, w: number, h: number): void {
	s.c.fillStyle = s.ink(ink);
	s.c.fillRect(x, y, w, h);
}

// A path in a frame of `w` × `h`, laid into the box.
function laid(s: Sheet, d: string, w: number, h: number): Path2D {
	const out = new Path2D();
	out.addPath(new Path2D(d), new DOMMatrix([s.box.w / w, 0, 0, s.box.h / h, s.box.x, s.box.y]));
	return out;
}

function times(s: Sheet, from: number, to: number): void {
	for (const k of ticksOf(from, to))
		words(s, k.text, s.box.x + (k.at / 100) * s.box.w, s.box.y + s.box.h + 18, { align: k.at === 100 ? "right" : "center" });
}

// ---- Lines over time ----
const INK: Record<Line["look"], [string, number, number[]]> = {
	now: ["--ink", 2, []],
	before: ["--ink3", 1.5, [4, 4]],
	low: ["--low", 2, []],
	high: ["--high", 2, []],
	without: ["--without", 2, []],
	plain: ["--ink2", 1.5, []],
};
const PART = [2, 3];

export const plotPicture = (p: PlotProps, title: string, unit: string): Picture => ({
	title,
	unit,
	to: p.to,
	height: 480,
	draw(s) {
		const f = frameOf(p);
		for (const [a, b] of gapsOf(p.lines[0], f)) {
			const x = s.box.x + ((a - f.from) / (f.to - f.from)) * s.box.w,
				w = ((b - a) / (f.to - f.from)) * s.box.w;
			fill(s, "--fill", x, s.box.y, w, s.box.h);
			if (w > 60) words(s, t("noData"), x + w / 2, s.box.y + s.box.h - 8, { align: "center" });
		}
		for (const v of f.axis.lines) {
			stroke(s, v === f.axis.lines[0] ? "--line2" : "--line", 1, [], laid(s, `M0 ${yOf(f, v)}H1000`, 1000, 100));
			const y = s.box.y + s.box.h * (1 - heightOf(f.axis, v) / 100);
			words(s, v >= 10 || Number.isInteger(v) ? count(v) : rate(v), s.box.x - 8, y + 4, { align: "right" });
		}
		times(s, f.from, f.to);
		let x = s.box.x;
		for (const l of p.lines) {
			const [ink, width, dash] = INK[l.look];
			for (const r of runs(l, f)) stroke(s, ink, width, r.part ? PART : dash, laid(s, pathOf(r, f), 1000, 100));
			const key = s.box.y + s.box.h + 36;
			stroke(s, ink, width, dash, new Path2D(`M${x} ${key}h20`));
			x += 50 + words(s, l.name, x + 26, key + 4);
		}
	},
});

// ---- Rows × time ----
const LINE = 22,
	HEAD = 92;

export const heatPicture = (h: HeatFrame, title: string): Picture => ({
	title,
	unit: h.unit,
	to: h.to,
	height: TOP + BOTTOM + h.rows.length * LINE,
	draw(s) {
		const inner = { ...s, box: { ...s.box, x: LEFT + HEAD - 40, w: s.box.w - HEAD + 40 } },
			cell = inner.box.w / h.n;
		h.rows.forEach((r, y) => {
			words(inner, r.name, LEFT - 40, s.box.y + y * LINE + 15);
			for (let i = 0; i < h.n; i++) {
				const look = cellOf(h, r, i),
					at = inner.box.x + i * cell,
					top = s.box.y + y * LINE + 1;
				if (look === "lost") stroke(inner, "--ink3", 1, [], new Path2D(`M${at} ${top + LINE - 3}L${at + cell} ${top}`));
				else fill(inner, `--${look}`, at, top, Math.max(0.5, cell - (h.n > 120 ? 0 : 1)), LINE - 2);
			}
		});
		times(inner, h.first, h.first + h.n * h.step);
		steps(s, h.bounds, s.box.y + s.box.h + 28);
	},
});

function steps(s: Sheet, bounds: number[], y: number): void {
	for (let i = 0; i <= bounds.length; i++) {
		fill(s, `--m${i + 1}`, LEFT - 40 + i * 48, y, 48, 8);
		if (i) words(s, count(bounds[i - 1]), LEFT - 40 + i * 48, y + 21, { align: "center" });
	}
}

// ---- What sensors observed ----
export const coveragePicture = (rows: CoverageRow[], sensors: Begun[], from: number, to: number, title: string, unit: string): Picture => ({
	title,
	unit,
	to,
	height: TOP + BOTTOM + sensors.length * LINE,
	draw(s) {
		const inner = { ...s, box: { ...s.box, x: LEFT + HEAD - 40, w: s.box.w - HEAD + 40 } };
		const x = (at: number): number => inner.box.x + ((Math.min(to, Math.max(from, at)) - from) / (to - from)) * inner.box.w;
		sensors.forEach(({ sensor, first }, i) => {
			const y = s.box.y + i * LINE,
				own = rangesOf(rows, sensor);
			words(inner, sensor, LEFT - 40, y + 15);
			fill(inner, "--fill", inner.box.x, y + 5, inner.box.w, 12);
			for (const [a, b] of own) fill(inner, "--bar", x(a), y + 7, x(b) - x(a), 8);
			for (const [a, b] of gapsIn(own, Math.max(from, first), to)) fill(inner, "--accent", x(a), y + 5, Math.max(1, x(b) - x(a)), 1);
		});
		times(inner, from, to);
	},
});

// ---- The world ----
export const mapPicture = (rows: CountryRow[], bounds: number[], title: string, unit: string, to: number): Picture => ({
	title,
	unit,
	to,
	height: 640,
	draw(s) {
		const w = worldNow();
		if (!w) return;
		const scale = Math.min(s.box.w / w.width, (s.box.h + 20) / w.height),
			by = new Map(rows.filter(r => r.country).map(r => [r.country!, r]));
		const place = (d: string): Path2D => {
			const out = new Path2D();
			out.addPath(new Path2D(d), new DOMMatrix([scale, 0, 0, scale, s.box.x, s.box.y - 10]));
			return out;
		};
		const paint = (d: string, look: string): void => {
			s.c.fillStyle = s.ink(`--${look}`);
			s.c.fill(place(d));
			stroke(s, "--bg", 0.5, [], place(d));
		};
		paint(w.rest, "m0");
		for (const [code, d] of Object.entries(w.areas)) paint(d, lookOf(by.get(code), bounds));
		for (const [code, [cx, cy]] of Object.entries(w.dots))
			if (by.has(code)) paint(`M${cx - 6} ${cy}a6 6 0 1 0 12 0a6 6 0 1 0 -12 0`, lookOf(by.get(code), bounds));
		steps(s, bounds, s.box.y + s.box.h + 28);
	},
});

// ---- Years ----
export const yearsPicture = (y: Years, title: string, unit: string, to: number): Picture => ({
	title,
	unit,
	to,
	height: 480,
	draw(s) {
		for (const v of y.axis.lines) {
			const at = s.box.y + s.box.h * (1 - heightOf(y.axis, v) / 100);
			stroke(s, v === 0 ? "--line2" : "--line", 1, [], new Path2D(`M${s.box.x} ${at}h${s.box.w}`));
			words(s, count(v), s.box.x - 8, at + 4, { align: "right" });
		}
		const wide = s.box.w / y.rows.length,
			bar = Math.min(96, wide * 0.6);
		y.rows.forEach((r, i) => {
			const x = s.box.x + wide * (i + 0.5);
			let foot = s.box.y + s.box.h;
			for (const b of r.bands) {
				const h = (heightOf(y.axis, b.v) / 100) * s.box.h;
				s.c.globalAlpha = r.part ? 0.55 : 1;
				fill(s, b.look === "total" ? "--bar" : `--${b.look}`, x - bar / 2, foot - h, bar, Math.max(0, h - (r.bands.length > 1 ? 1 : 0)));
				s.c.globalAlpha = 1;
				foot -= h;
			}
			words(s, r.total === null ? t("noData") : rate(r.total), x, foot - 6, { align: "center", ink: "--ink", font: "600 13px" });
			words(s, r.name, x, s.box.y + s.box.h + 18, { align: "center" });
		});
		let x = s.box.x;
		for (const k of y.keys) {
			fill(s, `--${k.look}`, x, s.box.y + s.box.h + 30, 10, 10);
			x += 40 + words(s, k.name, x + 16, s.box.y + s.box.h + 40);
		}
	},
});

// Draws it and hands it to the browser as a file.
export function save(p: Picture): void {
	const canvas = document.createElement("canvas"),
		c = canvas.getContext("2d");
	if (!c) return;
	canvas.width = WIDTH * 2;
	canvas.height = p.height * 2;
	c.scale(2, 2);
	const style = getComputedStyle(document.documentElement),
		simulated = lastOf<Status>(STATUS)?.simulated === true;
	const s: Sheet = {
		c,
		ink: name => style.getPropertyValue(name).trim(),
		box: { x: LEFT, y: TOP, w: WIDTH - LEFT - RIGHT, h: p.height - TOP - BOTTOM },
	};
	fill(s, "--bg", 0, 0, WIDTH, p.height);
	words(s, p.title, LEFT - 40, 28, { ink: "--ink", font: "600 17px" });
	words(s, p.unit, LEFT - 40, 48);
	p.draw(s);
	const at = new Date(p.to);
	words(
		s,
		`${simulated ? t("simulated") + " · " : ""}monomi · ${t("asOf", `${dateTime(at)} (${utc(at)})`)}`,
		WIDTH - RIGHT,
		p.height - 16,
		{ align: "right", ...(simulated ? { ink: "--ink", font: "600 13px" } : {}) },
	);
	canvas.toBlob(blob => {
		if (!blob) return;
		const a = document.createElement("a");
		a.href = URL.createObjectURL(blob);
		a.download = `monomi-${simulated ? "SIMULATED-" : ""}${utc(at).slice(0, 10)}.png`;
		a.click();
		setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
	}, "image/png");
}
