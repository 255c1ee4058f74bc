const answer = document.getElementById("answer");
const orders = document.getElementById("orders");
const euros = (cents) => new Intl.NumberFormat("en", { style: "currency", currency: "EUR" }).format(cents / 100);

async function show() {
  const lines = (await (await fetch("/api/orders")).text()).split("\n").filter(Boolean);
  orders.replaceChildren(
    ...lines.map((line) => {
      const { skus, grossCents } = JSON.parse(line);
      const item = document.createElement("li");
      item.textContent = `${skus.join(", ")}: ${euros(grossCents)}`;
      return item;
    }),
  );
}

async function order(form) {
  const { sku, unitCents, quantity } = Object.fromEntries(new FormData(form));
  const lines = [{ sku, unitCents: Number(unitCents), quantity: Number(quantity) }];
  const response = await fetch("/api/orders", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ lines }),
  });
  const placed = await response.json();
  answer.textContent = response.ok ? `Order ${placed.id}: ${euros(placed.grossCents)}` : placed.error;
  await show();
}

document.getElementById("order").addEventListener("submit", (event) => {
  event.preventDefault();
  void order(event.target);
});

await show();
