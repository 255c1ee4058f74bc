import { useEffect, useMemo } from "preact/hooks";
import { nodeHeight, nodeWidth, type Place } from "./layout.ts";

const smallest = 0.08;
const largest = 2;

export interface Viewport {
  fit(size: { width: number; height: number }): void;
  /** Scrolls to a node unless it is visible. */
  show(at: Place): void;
  zoom(factor: number): void;
}

interface Ref {
  current: HTMLDivElement | null;
}

/** Moves and scales `reel` by dragging, wheel and pinch, without rendering anything again. */
export function useViewport(box: Ref, reel: Ref): Viewport {
  const moves = useMemo(() => new Moves(box, reel), []);
  useEffect(() => moves.listen(), []);
  return moves;
}

class Moves implements Viewport {
  private readonly box: Ref;
  private readonly reel: Ref;
  private x = 0;
  private y = 0;
  private scale = 1;

  constructor(box: Ref, reel: Ref) {
    this.box = box;
    this.reel = reel;
  }

  fit({ width, height }: { width: number; height: number }): void {
    const { clientWidth, clientHeight } = this.box.current!;
    this.scale = clamp(Math.min(clientWidth / width, clientHeight / height, 1));
    this.x = Math.max(0, (clientWidth - width * this.scale) / 2);
    this.y = Math.max(0, (clientHeight - height * this.scale) / 2);
    this.apply();
  }

  show({ x, y }: Place): void {
    const { clientWidth, clientHeight } = this.box.current!;
    // At a small scale the card could not be read, so this zooms in.
    if (this.scale < 0.4) this.scale = 0.8;
    const [left, top] = [(x - nodeWidth / 2) * this.scale + this.x, (y - nodeHeight / 2) * this.scale + this.y];
    const [right, bottom] = [left + nodeWidth * this.scale, top + nodeHeight * this.scale];
    if (left < 0 || right > clientWidth) this.x = clientWidth / 2 - x * this.scale;
    if (top < 0 || bottom > clientHeight) this.y = clientHeight / 2 - y * this.scale;
    this.apply();
  }

  zoom(factor: number): void {
    const { clientWidth, clientHeight } = this.box.current!;
    this.zoomAt(factor, clientWidth / 2, clientHeight / 2);
  }

  listen(): () => void {
    const element = this.box.current!;
    const off = new AbortController();
    const { signal } = off;
    const pointers = new Map<number, PointerEvent>();
    let moved = 0;
    element.addEventListener(
      "wheel",
      (event) => {
        event.preventDefault();
        const { left, top } = element.getBoundingClientRect();
        if (event.ctrlKey || event.metaKey)
          this.zoomAt(Math.exp(-event.deltaY / 200), event.clientX - left, event.clientY - top);
        else this.move(-event.deltaX, -event.deltaY);
      },
      { signal, passive: false },
    );
    element.addEventListener(
      "pointerdown",
      (event) => {
        pointers.set(event.pointerId, event);
        moved = 0;
      },
      { signal },
    );
    addEventListener(
      "pointermove",
      (event) => {
        const before = pointers.get(event.pointerId);
        if (before === undefined) return;
        const other = [...pointers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
        if (other === undefined) this.move(event.clientX - before.clientX, event.clientY - before.clientY);
        else {
          const { left, top } = element.getBoundingClientRect();
          const factor = apart(event, other) / Math.max(1, apart(before, other));
          this.zoomAt(factor, (event.clientX + other.clientX) / 2 - left, (event.clientY + other.clientY) / 2 - top);
        }
        moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
        pointers.set(event.pointerId, event);
      },
      { signal },
    );
    for (const name of ["pointerup", "pointercancel"] as const)
      addEventListener(name, ({ pointerId }) => void pointers.delete(pointerId), { signal });
    // A drag that ends on a node does not select it.
    element.addEventListener("click", (event) => moved > 6 && event.stopPropagation(), { signal, capture: true });
    return () => off.abort();
  }

  private move(byX: number, byY: number): void {
    this.x += byX;
    this.y += byY;
    this.apply();
  }

  private zoomAt(factor: number, x: number, y: number): void {
    const scale = clamp(this.scale * factor);
    const real = scale / this.scale;
    this.x = x - (x - this.x) * real;
    this.y = y - (y - this.y) * real;
    this.scale = scale;
    this.apply();
  }

  private apply(): void {
    const { current } = this.reel;
    if (current === null) return;
    current.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    // Names can't be read at this scale, so cards show only the color of their state.
    current.classList.toggle("far", this.scale < 0.4);
  }
}

const clamp = (scale: number): number => Math.min(largest, Math.max(smallest, scale));
const apart = (a: PointerEvent, b: PointerEvent): number => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
