import { count, dateTime, rate, utc } from "../text/format";
import { t } from "../text/strings";
import type { PlotProps, Point } from "./plot";
import { type Axis, axisOf, heightOf, ticksOf } from "./scale";

// A time plot as a picture to be sent on: the same axes and lines, and under them what it is of and as of when. Drawn anew,
// since a picture of the page's own elements would need what its policy forbids.
const WIDTH = 1200,
	HEIGHT = 480,
	LEFT = 64,
	RIGHT = 24,
	TOP = 64,
	BOTTOM = 56;

interface Sheet {
	c: CanvasRenderingContext2D;
	ink: (name: string) => string;
	axis: Axis;
	p: PlotProps;
}

const xOf = (s: Sheet, at: number): number => LEFT + ((at - s.p.from) / (s.p.to - s.p.from)) * (WIDTH - LEFT - RIGHT);
const yOf = (s: Sheet, v: number): number => HEIGHT - BOTTOM - (heightOf(s.axis, v) / 100) * (HEIGHT - TOP - BOTTOM);

function words(
	s: Sheet,
	text: string,
	x: number,
	y: number,
	look: { align?: CanvasTextAlign; ink?: string; font?: string } = {},
): void {
	const family = getComputedStyle(document.body).fontFamily;
	s.c.font = `${look.font ?? "13px"} ${family}`;
	s.c.textAlign = look.align ?? "left";
	s.c.fillStyle = s.ink(look.ink ?? "--ink2");
	s.c.fillText(text, x, y);
}

function stroke(s: Sheet, ink: string, width: number, dash: number[], draw: () => void): void {
	s.c.beginPath();
	s.c.strokeStyle = s.ink(ink);
	s.c.lineWidth = width;
	s.c.setLineDash(dash);
	draw();
	s.c.stroke();
}

function axes(s: Sheet): void {
	for (const v of s.axis.lines) {
		stroke(s, v === s.axis.lines[0] ? "--line2" : "--line", 1, [], () => {
			s.c.moveTo(LEFT, yOf(s, v));
			s.c.lineTo(WIDTH - RIGHT, yOf(s, v));
		});
		words(s, v >= 10 || Number.isInteger(v) ? count(v) : rate(v), LEFT - 8, yOf(s, v) + 4, { align: "right" });
	}
	for (const k of ticksOf(s.p.from, s.p.to))
		words(s, k.text, LEFT + (k.at / 100) * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM + 18, {
			align: k.at === 100 ? "right" : "center",
		});
}

function trace(s: Sheet, points: Point[]): void {
	let last: Point | null = null;
	for (const p of points) {
		if (p.v !== null) {
			const begin = last === null || p.at - last.at > s.p.step * 1.5,
				y = yOf(s, p.v),
				x = xOf(s, Math.max(s.p.from, p.at + (s.p.steps ? 0 : s.p.step / 2)));
			if (begin) s.c.moveTo(x, y);
			else s.c.lineTo(x, y);
			if (s.p.steps) s.c.lineTo(xOf(s, Math.min(p.at + s.p.step, s.p.to)), y);
		}
		last = p.v === null ? null : p;
	}
}

const INK: Record<string, [string, number, number[]]> = {
	now: ["--ink", 2, []],
	before: ["--ink3", 1.5, [4, 4]],
	low: ["--low", 2, []],
	high: ["--high", 2, []],
	without: ["--without", 2, []],
	plain: ["--ink2", 1.5, []],
};

function lines(s: Sheet): void {
	let x = LEFT;
	for (const l of s.p.lines) {
		const [ink, width, dash] = INK[l.look]!;
		stroke(s, ink, width, dash, () => trace(s, l.points));
		stroke(s, ink, width, dash, () => {
			s.c.moveTo(x, HEIGHT - 20);
			s.c.lineTo(x + 20, HEIGHT - 20);
		});
		words(s, l.name, x + 26, HEIGHT - 16);
		x += 50 + s.c.measureText(l.name).width;
	}
}

// Draws the plot and hands it to the browser as a file.
export function plotSave(p: PlotProps, title: string, unit: string, simulated: boolean): void {
	const canvas = document.createElement("canvas"),
		c = canvas.getContext("2d");
	if (!c) return;
	canvas.width = WIDTH * 2;
	canvas.height = HEIGHT * 2;
	c.scale(2, 2);
	const style = getComputedStyle(document.documentElement),
		values = p.lines.flatMap(l => l.points.map(q => q.v ?? 0));
	const s: Sheet = {
		c,
		p,
		ink: name => style.getPropertyValue(name).trim(),
		axis: axisOf(Math.max(0, ...values), p.log, Math.min(...values.filter(v => v > 0), Infinity)),
	};
	c.fillStyle = s.ink("--bg");
	c.fillRect(0, 0, WIDTH, HEIGHT);
	words(s, title, LEFT - 40, 28, { ink: "--ink", font: "600 17px" });
	words(s, unit, LEFT - 40, 48);
	axes(s);
	lines(s);
	words(
		s,
		`${simulated ? t("simulated") + " · " : ""}monomi · ${t("asOf", `${dateTime(new Date(p.to))} (${utc(new Date(p.to))})`)}`,
		WIDTH - RIGHT,
		HEIGHT - 16,
		{ align: "right" },
	);
	canvas.toBlob(blob => {
		if (!blob) return;
		const a = document.createElement("a");
		a.href = URL.createObjectURL(blob);
		a.download = `monomi-${utc(new Date(p.to)).slice(0, 10)}.png`;
		a.click();
		setTimeout(() => URL.revokeObjectURL(a.href), 10_000);
	}, "image/png");
}
