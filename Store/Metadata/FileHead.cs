using System.Buffers.Binary;
using System.IO.Hashing;
using ImageStore.Store.Errors;

namespace ImageStore.Store.Metadata;

/// <summary>What the data file and the log begin with; it lies in one sector, which a disk writes whole or not at all.</summary>
/// <param name="Database">Ties the two files of a database together.</param>
/// <param name="Generation">Rises each time the log was moved into the data file. A log that is one behind was moved.</param>
/// <param name="Salt">What the checksums of this generation begin with.</param>
/// <param name="Extent">Pages that are known to be durable: fewer mean damage, not a crash.</param>
internal readonly record struct FileHead(ulong Database, ulong Generation, ulong Salt, long Extent)
{
    /// <summary>Bytes before the first page.</summary>
    public const int Bytes = 4096;

    public const ulong DataMagic = 0x0041_5441_444D_5349;
    public const ulong LogMagic = 0x0000_474F_4C4D_5349;

    private const uint Version = 2;
    private const int UsedBytes = 56;
    private const int ReadAttempts = 20;
    public const string Remedy = "'imagestore fsck --repair' rebuilds it from what is whole of it, from its last backup and from the disk.";

    public void Write(MetadataFile file, ulong magic)
    {
        Span<byte> bytes = stackalloc byte[UsedBytes];
        bytes.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, magic);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], Version);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], Database);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[24..], Generation);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[32..], Salt);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[40..], Extent);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[48..], XxHash3.HashToUInt64(bytes[..48]));
        file.Write(bytes, 0);
    }

    /// <exception cref="ImageStoreException">It is damaged (<see cref="ErrorKind.CorruptData"/>) or of a version that this
    /// one does not know (<see cref="ErrorKind.Unsupported"/>).</exception>
    public static FileHead Read(MetadataFile file, ulong magic, string path)
    {
        if (TryRead(file, magic, out var version) is not { } head)
        {
            throw Damaged(path, file.Length == 0 ? "it is empty" : "its head does not match its checksum");
        }

        return version == Version
            ? head
            : throw new ImageStoreException(
                ErrorKind.Unsupported,
                $"The metadata file {path} has format {version}; this imagestore knows format {Version}.",
                "Use the imagestore that wrote it, or a newer one.");
    }

    /// <summary>The head, or null when it is damaged.</summary>
    public static FileHead? TryRead(MetadataFile file, ulong magic, out uint version)
    {
        Span<byte> bytes = stackalloc byte[UsedBytes];
        version = 0;
        for (var attempt = 0; attempt < ReadAttempts; attempt++)
        {
            if (file.Read(bytes, 0) != UsedBytes)
            {
                return null;
            }

            if (BinaryPrimitives.ReadUInt64LittleEndian(bytes) == magic
                && BinaryPrimitives.ReadUInt64LittleEndian(bytes[48..]) == XxHash3.HashToUInt64(bytes[..48]))
            {
                version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]);
                return new FileHead(
                    BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
                    BinaryPrimitives.ReadUInt64LittleEndian(bytes[24..]),
                    BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]),
                    BinaryPrimitives.ReadInt64LittleEndian(bytes[40..]));
            }

            // A reader beside the writer may have caught the head half written.
            Thread.Sleep(1);
        }

        return null;
    }

    public static ulong NewSalt() => (ulong)Random.Shared.NextInt64(1, long.MaxValue);

    public static ImageStoreException Damaged(string path, string how) =>
        new(ErrorKind.CorruptData, $"The metadata file {path} is damaged: {how}.", Remedy);
}
