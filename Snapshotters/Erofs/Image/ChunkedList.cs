namespace ImageStore.Snapshotters.Erofs.Image;

/// <summary>A list that grows without copying, so that a million entries never need room twice.</summary>
internal sealed class ChunkedList<T>(int most, string what)
{
    private const int ChunkBits = 13;
    private const int ChunkItems = 1 << ChunkBits;
    private readonly List<T[]> _chunks = [];

    public int Count { get; private set; }

    public ref T this[int index] => ref _chunks[index >> ChunkBits][index & (ChunkItems - 1)];

    /// <summary>Adds one; its index.</summary>
    /// <exception cref="Store.Errors.ImageStoreException">There are too many.</exception>
    public int Add(T item)
    {
        if (Count == most)
        {
            throw ImageFault.Limit(what, most);
        }

        if (Count >> ChunkBits == _chunks.Count)
        {
            _chunks.Add(new T[ChunkItems]);
        }

        this[Count] = item;
        return Count++;
    }
}
