/** Entry point of the page in the browser. */
import { render } from "preact";
import "uplot/dist/uPlot.min.css";
import { App } from "./app.tsx";
import { openBackend } from "./backend.ts";
import "./page.css";
import { Store } from "./store.ts";

const store = new Store(openBackend());
const app = document.getElementById("app")!;
app.textContent = "";
render(<App store={store} />, app);
store.start();
