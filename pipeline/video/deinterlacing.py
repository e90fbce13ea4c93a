"""Removes interlacing: the two fields of an interlaced frame are taken at different times and show a comb."""

from collections.abc import Iterator

import av
import av.filter


class Deinterlacer:
    """Passes frames on; from the first interlaced one on, through FFmpeg's filter bwdif, one image per frame."""

    def __init__(self, stream: av.VideoStream) -> None:
        self._stream = stream
        self._graph: av.filter.Graph | None = None

    def push(self, frame: av.VideoFrame) -> Iterator[av.VideoFrame]:
        """Take a frame; yield the frames that are finished."""
        if self._graph is None:
            if not frame.interlaced_frame:
                yield frame
                return
            self._graph = _graph(self._stream)
        self._graph.push(frame)
        yield from self._pulled()

    def flush(self) -> Iterator[av.VideoFrame]:
        """The frames that are left at the end."""
        if self._graph is not None:
            self._graph.push(None)
            yield from self._pulled()

    def _pulled(self) -> Iterator[av.VideoFrame]:
        assert self._graph is not None
        while True:
            try:
                yield self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return


def _graph(stream: av.VideoStream) -> av.filter.Graph:
    graph = av.filter.Graph()
    bwdif = graph.add("bwdif", "mode=send_frame:deint=interlaced")
    graph.link_nodes(graph.add_buffer(template=stream), bwdif, graph.add("buffersink")).configure()
    return graph
