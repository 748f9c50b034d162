using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace ImageStore.Architecture.Tests;

/// <summary>What others may derive from is an interface, never one of our classes.</summary>
public sealed class TypeTests
{
    public static TheoryData<string> Projects => [.. Repository.Projects];

    [Theory]
    [MemberData(nameof(Projects))]
    public void PublicClasses_OfAProject_AreSealedOrAbstract(string project)
    {
        using var file = new PEReader(File.OpenRead(Repository.Assembly(project)));
        var metadata = file.GetMetadataReader();
        var open = metadata.TypeDefinitions.Select(metadata.GetTypeDefinition)
            .Where(type => IsVisible(metadata, type))
            .Where(type => (type.Attributes & (TypeAttributes.Sealed | TypeAttributes.Abstract)) == 0)
            .Select(type => metadata.GetString(type.Name));
        Assert.Empty(open);
    }

    // A public type in one that nobody sees is seen by nobody.
    private static bool IsVisible(MetadataReader metadata, TypeDefinition type) => (type.Attributes & TypeAttributes.VisibilityMask) switch
    {
        TypeAttributes.Public => true,
        TypeAttributes.NestedPublic => IsVisible(metadata, metadata.GetTypeDefinition(type.GetDeclaringType())),
        _ => false,
    };
}
