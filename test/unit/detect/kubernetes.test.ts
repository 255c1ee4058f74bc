import { describe, expect, test } from "vitest";
import { detectDeploy } from "../../../src/detect/kubernetes.ts";
import type { ProjectFiles } from "../../../src/detect/types.ts";

const filesOf = (texts: Record<string, string>): ProjectFiles => ({
  list: Object.keys(texts).toSorted(),
  read: (file) => texts[file] ?? "",
});
const manifest = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n";

describe("what a repository has for Kubernetes", () => {
  test("is nothing where there is nothing", () => {
    const files = filesOf({
      ".github/workflows/ci.yml": manifest,
      "compose.yaml": "services: {}\n",
      "config.yaml": "apiVersion: example.org/v1\nkind: Settings\n",
    });
    expect(detectDeploy(files, "shop")).toBeUndefined();
  });

  test("overlays are environments, production among them wants a context", () => {
    const found = detectDeploy(
      filesOf({
        "deploy/base/kustomization.yaml": "",
        "deploy/base/web.yaml": manifest,
        "deploy/overlays/staging/kustomization.yaml": "",
        "deploy/overlays/production/kustomization.yaml": "",
      }),
      "My Shop",
    );
    expect(found).toEqual({
      apps: { "my-shop": { kustomize: "deploy/overlays/{env}" } },
      environments: {
        staging: { namespace: "my-shop" },
        production: { production: true, context: "CONTEXT", namespace: "my-shop" },
      },
    });
  });

  test("a chart has values for each environment where all have a file of them", () => {
    const texts = { "chart/Chart.yaml": "", "chart/values-dev.yaml": "", "chart/values-prod.yaml": "" };
    expect(detectDeploy(filesOf(texts), "shop")).toEqual({
      apps: { shop: { helm: { chart: "chart", values: ["chart/values-{env}.yaml"] } } },
      environments: {
        dev: { namespace: "shop" },
        prod: { production: true, context: "CONTEXT", namespace: "shop" },
      },
    });
    const { "chart/values-dev.yaml": _dev, ...one } = texts;
    const found = detectDeploy(filesOf({ ...one, "overlays/dev/kustomization.yaml": "" }), "shop");
    expect(found?.apps["shop"]).toEqual({ helm: { chart: "chart" } });
  });

  test("charts, kustomizations and folders of manifests are apps of their own; what a chart has inside is none", () => {
    const found = detectDeploy(
      filesOf({
        "charts/queue/Chart.yaml": "",
        "charts/queue/charts/inner/Chart.yaml": "",
        "charts/queue/templates/web.yaml": manifest,
        "worker/kustomization.yaml": "",
        "worker/web.yaml": manifest,
        "k8s/api/deployment.yaml": manifest,
        "k8s/api/service/service.yaml": manifest,
      }),
      "shop",
    );
    expect(found?.apps).toEqual({
      queue: { helm: { chart: "charts/queue" } },
      worker: { kustomize: "worker" },
      api: { manifests: ["k8s/api/"] },
    });
    expect(found?.environments).toEqual({ local: { namespace: "shop" } });
  });
});
