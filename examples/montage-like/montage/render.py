"""Rendering with ffmpeg."""
import subprocess


def command(seconds: float, target: str) -> list[str]:
    """The ffmpeg command of a title card."""
    source = f"color=c=black:s=160x90:r=10:d={seconds}"
    return ["ffmpeg", "-nostdin", "-loglevel", "error", "-y", "-f", "lavfi", "-i", source, "-c:v", "mpeg4", target]


def render(seconds: float, target: str) -> None:
    subprocess.run(command(seconds, target), check=True)


def duration(file: str) -> float:
    probe = ["ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", file]
    return float(subprocess.run(probe, check=True, capture_output=True, text=True).stdout)
