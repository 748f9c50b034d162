using ImageStore.Store;
using ImageStore.Store.Content;

namespace ImageStore.Engine.Diff;

/// <summary>An ingest as a stream, for what is made while it is written.</summary>
internal sealed class IngestStream(ContentWriter writer) : WriteOnlyStream
{
    public override void Write(ReadOnlySpan<byte> buffer) => writer.Write(buffer);
}
