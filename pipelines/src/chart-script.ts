/**
 * What renders a chart: `sh -ec SCRIPT sh PLACE VERSION RELEASE OPTIONS…`. Manifests alone come to stdout: helm says there, too,
 * what it pulled from an OCI registry, so such a chart is pulled first. What a chart depends on is fetched where it is not in the
 * project, from repositories that nobody has added here.
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
