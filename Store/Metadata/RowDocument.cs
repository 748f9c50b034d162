using System.IO.Hashing;
using System.Text;
using ImageStore.Store.Errors;
using LiteDB;

namespace ImageStore.Store.Metadata;

/// <summary>Blocks of rows as a document of LiteDB, with a checksum of its own, since LiteDB's data pages have none.</summary>
internal static class RowDocument
{
    private const string Id = "_id";
    private const string Blocks = "r";
    private const string Checksum = "c";

    /// <summary>The document <paramref name="id"/> of <paramref name="collection"/>.</summary>
    /// <param name="collection">Where it is to lie; a document that turns up elsewhere is damaged.</param>
    /// <param name="id">Its number there.</param>
    /// <param name="blocks">A <see cref="RowBlock"/> for each table.</param>
    public static BsonDocument Encode(string collection, long id, IReadOnlyList<KeyValuePair<string, byte[]>> blocks)
    {
        var inner = new BsonDocument();
        foreach (var (table, block) in blocks)
        {
            inner[table] = block;
        }

        return new BsonDocument { [Id] = id, [Blocks] = inner, [Checksum] = Hash(collection, id, inner) };
    }

    /// <exception cref="ImageStoreException">The checksum does not match (<see cref="ErrorKind.CorruptData"/>).</exception>
    public static (long Id, IReadOnlyList<KeyValuePair<string, byte[]>> Blocks) Decode(string collection, BsonDocument document)
    {
        if (document[Id] is { IsInt64: true, AsInt64: var id }
            && document[Blocks] is { IsDocument: true, AsDocument: var inner }
            && inner.Values.All(block => block.IsBinary)
            && document[Checksum] is { IsInt64: true, AsInt64: var checksum }
            && checksum == Hash(collection, id, inner))
        {
            return (id, [.. inner.Select(block => KeyValuePair.Create(block.Key, block.Value.AsBinary))]);
        }

        throw new ImageStoreException(
            ErrorKind.CorruptData,
            $"The metadata document {Printable.Of(document[Id].ToString())} of {collection} is damaged.",
            FileHead.Remedy);
    }

    private static long Hash(string collection, long id, BsonDocument blocks)
    {
        var hash = new XxHash3();
        hash.Append(Encoding.UTF8.GetBytes($"{collection}\0{id}"));
        foreach (var (table, block) in blocks)
        {
            hash.Append(Encoding.UTF8.GetBytes($"\0{table}\0{block.AsBinary.Length}\0"));
            hash.Append(block.AsBinary);
        }

        return unchecked((long)hash.GetCurrentHashAsUInt64());
    }
}
