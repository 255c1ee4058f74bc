/**
 * Renders a chart with `sh -ec SCRIPT sh CHART VERSION RELEASE OPTIONS…` and prints the manifests. A chart in an OCI
 * registry is pulled first, because `helm template` prints what it pulls to stdout, among the manifests. Dependencies
 * that are not in `charts/` are fetched; `helm dependency build` requires that their repositories are added first.
 */
export const chartScript = `chart=$1 version=$2 release=$3; shift 3
case $chart in oci://*)
  folder=$(mktemp -d)
  helm pull "$chart" --version "$version" --destination "$folder" >&2
  chart=$(echo "$folder"/*.tgz)
esac
if grep -qs '^dependencies:' "$chart/Chart.yaml" && [ ! -d "$chart/charts" ]; then
  sed -n 's|^[ -]*repository:[^h]*\\(https*:[-A-Za-z0-9._~:/@%]*\\).*|\\1|p' "$chart/Chart.yaml" | sort -u | {
    count=0
    while read -r url; do count=$((count + 1)); helm repo add "repository-$count" "$url" >&2; done
  }
  helm dependency build "$chart" >&2
fi
exec helm template "$release" "$chart" "$@"`;
